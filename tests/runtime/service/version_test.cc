#include "runtime/service/version.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wire/message.h"

namespace runtime {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

TEST(Version, IsThreeNumbersAndTheCommitIfThatIsNoRelease) {
  EXPECT_THAT(version(), MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+([~+][0-9.]+\\.g[0-9a-f]{12})?"
                                      "(\\.dirty)?"));
  if (version().find(".g") != std::string::npos) {
    EXPECT_THAT(version(), HasSubstr(".g" + commit().substr(0, 12)));
  }
}

TEST(Version, CommitIsTwelveHexDigitsAndTellsChangedFiles) {
  EXPECT_THAT(commit(), MatchesRegex("[0-9a-f]{12}\\+?|unknown"));
}

TEST(Version, TextTellsVersionProtocolAndCommit) {
  EXPECT_EQ(version_text(), "collage " + version() + ", protocol " +
                                std::to_string(wire::kProtocol) + ", commit " + commit());
}

}  // namespace
}  // namespace runtime
