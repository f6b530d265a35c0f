#include "runtime/service/version.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wire/message.h"

namespace runtime {
namespace {

using testing::MatchesRegex;

TEST(Version, IsThreeNumbers) { EXPECT_THAT(version(), MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+")); }

TEST(Version, CommitIsTwelveHexDigitsAndTellsChangedFiles) {
  EXPECT_THAT(commit(), MatchesRegex("[0-9a-f]{12}\\+?|unknown"));
}

TEST(Version, TextTellsVersionProtocolAndCommit) {
  EXPECT_EQ(version_text(), "collage " + version() + ", protocol " +
                                std::to_string(wire::kProtocol) + ", commit " + commit());
}

}  // namespace
}  // namespace runtime
