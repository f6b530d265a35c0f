// What decode() says when memory is short.  In a child process, for the limit would stay.
#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/resource.h>

#include <cstdlib>
#include <fstream>
#include <new>

#include "imaging/decode.h"
#include "tests/imaging/image_files.h"

namespace imaging {
namespace {

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

constexpr int kNoMemory = 7, kRefused = 8, kDecoded = 9;

// Leaves the process so many bytes beyond what it has.
void limit_memory(std::size_t more) {
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  const rlim_t bytes = pages * 4096 + more;
  const rlimit limit{bytes, bytes};
  setrlimit(RLIMIT_AS, &limit);
}

[[noreturn]] void decode_within(const Bytes& body, std::size_t more) {
  limit_memory(more);
  int code = kRefused;
  try {
    if (decode(body, kColour32, {})) code = kDecoded;
  } catch (const std::bad_alloc&) {
    code = kNoMemory;
  }
  std::_Exit(code);
}

// libvips has threads, which a fork alone would leave behind.
class MemoryDeathTest : public testing::Test {
 protected:
  MemoryDeathTest() {
    testing::FLAGS_gtest_death_test_style = "threadsafe";
    mallopt(M_MMAP_THRESHOLD, 1 << 17);  // What made the files would else be kept for decode().
  }
};

TEST_F(MemoryDeathTest, ASoundImageIsNotCalledTruncated) {
  for (const Bytes& body : {jpeg(busy(3000, 3000, 3), true), png(busy(3000, 3000, 3))}) {
    EXPECT_EXIT(decode_within(body, std::size_t{4} << 20), testing::ExitedWithCode(kNoMemory), "");
  }
}

TEST_F(MemoryDeathTest, ADamagedImageIsCalledSoWhileThereIsMemory) {
  const Bytes body = cut(jpeg(busy(300, 300, 3)), 0.5);
  EXPECT_EXIT(decode_within(body, std::size_t{64} << 20), testing::ExitedWithCode(kRefused), "");
}

#endif

}  // namespace
}  // namespace imaging
