#include "models/research/commands/skipped_files.h"

#include <gmock/gmock.h>

namespace models {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(SkippedFiles, OfNoneNothingIsSaid) { EXPECT_EQ(SkippedFiles("cats").summary(), ""); }

TEST(SkippedFiles, AreCountedAndTheFirstTenNamed) {
  SkippedFiles skipped("cats");
  const auto hook = skipped.hook();
  hook("README.txt: not_an_image");
  EXPECT_EQ(skipped.summary(), "cats: 1 file is skipped: README.txt: not_an_image");
  for (int i = 0; i < 11; ++i) hook(std::to_string(i) + ".jpg: truncated_image");
  EXPECT_THAT(skipped.summary(), StartsWith("cats: 12 files are skipped: README.txt: "));
  EXPECT_THAT(skipped.summary(), HasSubstr(", 8.jpg: truncated_image"));
  EXPECT_THAT(skipped.summary(), Not(HasSubstr("9.jpg")));
  EXPECT_THAT(skipped.summary(), EndsWith(", .."));
}

}  // namespace
}  // namespace models
