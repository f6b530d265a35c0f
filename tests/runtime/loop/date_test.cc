#include "runtime/loop/date.h"

#include <gmock/gmock.h>

namespace runtime {
namespace {

TEST(Date, IsWrittenFromTheYearDown) {
  EXPECT_THAT(utc_date(), testing::MatchesRegex("20[0-9][0-9]-[0-9][0-9]-[0-9][0-9] "
                                                "[0-9][0-9]:[0-9][0-9] UTC"));
}

}  // namespace
}  // namespace runtime
