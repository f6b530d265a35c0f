#include "machine/earliest.h"

#include <gtest/gtest.h>

#include "tests/values.h"

namespace machine {
namespace {

using namespace std::chrono_literals;

TEST(Earliest, IsTheFirstOfThePresentInstantsWhereverItStands) {
  EXPECT_EQ(earliest({at(3ms), at(1ms), at(2ms)}), at(1ms));
  EXPECT_EQ(earliest({at(1ms), std::nullopt, at(2ms)}), at(1ms));
  EXPECT_EQ(earliest({std::nullopt, at(2ms), at(1ms)}), at(1ms));
}

TEST(Earliest, IsAbsentWhereAllAre) {
  EXPECT_EQ(earliest({}), std::nullopt);
  EXPECT_EQ(earliest({std::nullopt, std::nullopt}), std::nullopt);
}

TEST(Earliest, ATimeOfZeroIsPresent) {
  EXPECT_EQ(earliest({at(1ms), at(0ms), std::nullopt}), at(0ms));
}

}  // namespace
}  // namespace machine
