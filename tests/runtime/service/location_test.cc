#include "runtime/service/location.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "wire/utf8.h"

namespace runtime {
namespace {

TEST(UnitOf, FindsTheServiceThatRunsAProcess) {
  EXPECT_EQ(
      unit_of("0::/system.slice/system-collage\\x2dstage.slice/collage-classifier@3.service\n"),
      "collage-classifier@3");
  EXPECT_EQ(unit_of("12:cpu:/system.slice/collage-sink.service\n0::/\n"), "collage-sink");
}

TEST(UnitOf, FindsNoneInASessionAScopeOrAContainer) {
  EXPECT_EQ(unit_of("0::/user.slice/user-1000.slice/user@1000.service/app.slice/shell.scope\n"),
            "");
  EXPECT_EQ(unit_of("0::/\n"), "");
  EXPECT_EQ(unit_of("0::/.service\n"), "");
  EXPECT_EQ(unit_of("nonsense"), "");
  EXPECT_EQ(unit_of(""), "");
}

TEST(ProcessLocation, NamesThisProcessWithinTheBoundsOfTheWire) {
  const wire::Location location = process_location(7);
  EXPECT_FALSE(location.host.empty());
  EXPECT_LE(location.host.size(), wire::kHostMax);
  EXPECT_LE(location.unit.size(), wire::kUnitMax);
  EXPECT_TRUE(wire::valid_utf8(location.host));
  EXPECT_EQ(location.index, 7u);
  EXPECT_EQ(location.pid, static_cast<std::uint32_t>(getpid()));
}

}  // namespace
}  // namespace runtime
