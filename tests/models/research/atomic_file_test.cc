#include "models/research/atomic_file.h"

#include <gmock/gmock.h>

#include <fstream>

namespace models {
namespace {

class AtomicFile : public ::testing::Test {
 protected:
  AtomicFile() { std::filesystem::remove_all(folder_); }
  ~AtomicFile() override { std::filesystem::remove_all(folder_); }

  std::string text() const {
    std::ifstream in(folder_ / "deep" / "file");
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::ptrdiff_t files() const {
    return std::distance(std::filesystem::directory_iterator(folder_ / "deep"), {});
  }

  std::filesystem::path folder_ = std::filesystem::path(::testing::TempDir()) /
                                  ::testing::UnitTest::GetInstance()->current_test_info()->name();
};

TEST_F(AtomicFile, AppearsWithItsFoldersAndReplacesWhatWasThere) {
  write_text(folder_ / "deep" / "file", "first");
  write_text(folder_ / "deep" / "file", "second");
  EXPECT_EQ(text(), "second");
  EXPECT_EQ(files(), 1);
}

TEST_F(AtomicFile, IsAsItWasIfWritingFailsHalfway) {
  write_text(folder_ / "deep" / "file", "first");
  const auto fail = [](const std::string& part) {
    std::ofstream(part) << "sec";
    throw std::runtime_error("no space");
  };
  EXPECT_THROW(write_by_rename(folder_ / "deep" / "file", fail), std::runtime_error);
  EXPECT_EQ(text(), "first");
  EXPECT_EQ(files(), 1);
}

}  // namespace
}  // namespace models
