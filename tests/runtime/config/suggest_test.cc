#include "runtime/config/suggest.h"

#include <gmock/gmock.h>

#include <vector>

namespace runtime {
namespace {

using testing::Optional;

const std::vector<std::string> kKnown{"workers", "linger", "hedge", "hedges", "patience_max"};

TEST(Suggest, OneChangeOfAnyKindIsForgiven) {
  EXPECT_THAT(nearest("wrokers", kKnown), Optional(std::string("workers")));
  EXPECT_THAT(nearest("worker", kKnown), Optional(std::string("workers")));
  EXPECT_THAT(nearest("lingger", kKnown), Optional(std::string("linger")));
  EXPECT_THAT(nearest("no", std::vector<std::string>{"on"}), Optional(std::string("on")));
  EXPECT_THAT(nearest("patience-max", kKnown), Optional(std::string("patience_max")));
}

TEST(Suggest, TheNearestWinsAndTheFirstAmongEquals) {
  EXPECT_THAT(nearest("hedgess", kKnown), Optional(std::string("hedges")));
  EXPECT_THAT(nearest("hedgex", kKnown), Optional(std::string("hedge")));
}

TEST(Suggest, AWordFarFromAllHasNoNeighbour) {
  EXPECT_EQ(nearest("colour", kKnown), std::nullopt);
  EXPECT_EQ(nearest("", kKnown), std::nullopt);
  EXPECT_EQ(nearest(std::string(1 << 20, 'a'), kKnown), std::nullopt);
  EXPECT_EQ(nearest("workers", {}), std::nullopt);
}

}  // namespace
}  // namespace runtime
