#include "models/serving/sha256.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>

namespace models {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

std::string hash_of(const std::string& content) {
  const auto file =
      std::filesystem::path(::testing::TempDir()) / ("sha256_" + std::to_string(getpid()));
  std::ofstream(file, std::ios::binary) << content;
  const std::string hash = sha256_of(file);
  std::filesystem::remove(file);
  return hash;
}

TEST(Sha256, IsThePublishedOneOfAbc) {
  EXPECT_EQ(hash_of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256, OfAFileLongerThanABlockIsThePublishedOneOfAMillionAs) {
  EXPECT_EQ(hash_of(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, AFileThatCannotBeReadIsNamed) {
  EXPECT_THAT([] { sha256_of("/nowhere/x.pt"); },
              ThrowsMessage<std::runtime_error>(HasSubstr("/nowhere/x.pt: no such file")));
  EXPECT_THAT([] { sha256_of("/proc/self/mem"); },
              ThrowsMessage<std::runtime_error>(HasSubstr("/proc/self/mem: cannot be read")));
}

}  // namespace
}  // namespace models
