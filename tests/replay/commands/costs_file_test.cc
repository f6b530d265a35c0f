#include "replay/commands/costs_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "runtime/config/config_error.h"

namespace replay {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class CostsFile : public testing::Test {
 protected:
  ~CostsFile() override { std::filesystem::remove(file_); }

  std::string refusal(const std::string& text) {
    std::ofstream(file_) << text;
    try {
      (void)read_costs(file_);
    } catch (const runtime::ConfigError& error) {
      return error.what();
    }
    return "accepted";
  }

  const std::filesystem::path file_ =
      std::filesystem::path(testing::TempDir()) /
      ("costs_of_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()) +
       ".json");
  const StoredCosts costs_{{0.1 + 0.2, 1.0 / 3, 123456789ns}, 98765ns, {"s-1", "c-2"}, "a machine"};
};

TEST_F(CostsFile, WhatIsReadIsWhatWasWritten) {
  write_costs(file_, costs_);
  const StoredCosts read = read_costs(file_);
  EXPECT_EQ(read.costs.single_s, costs_.costs.single_s);
  EXPECT_EQ(read.costs.collage_s, costs_.costs.collage_s);
  EXPECT_EQ(read.costs.decode, costs_.costs.decode);
  EXPECT_EQ(read.link, costs_.link);
  EXPECT_EQ(read.models, costs_.models);
  EXPECT_EQ(read.machine, costs_.machine);
}

TEST_F(CostsFile, CostsOfOtherModelsOrAnotherMachineAreNotTaken) {
  EXPECT_FALSE(earlier_costs(file_, costs_.models, costs_.machine)) << "there is no file yet";
  write_costs(file_, costs_);
  EXPECT_TRUE(earlier_costs(file_, costs_.models, costs_.machine));
  EXPECT_FALSE(earlier_costs(file_, {"s-1", "c-3"}, costs_.machine));
  EXPECT_FALSE(earlier_costs(file_, costs_.models, "another machine"));
}

TEST_F(CostsFile, WhatIsWrongIsSaidInOneLine) {
  EXPECT_THAT(refusal("no json"), HasSubstr(".json: is no file of costs"));
  EXPECT_THAT(refusal("{}"), HasSubstr("single_s"));
  EXPECT_THAT(refusal(R"({"single_s": 0, "collage_s": 1, "decode_ns": 1, "link_ns": 0,)"
                      R"( "models": [], "machine": ""})"),
              HasSubstr("single_s is not above 0"));
  EXPECT_THAT(refusal(R"({"single_s": 1, "collage_s": 1, "decode_ns": 1, "link_ns": -1,)"
                      R"( "models": [], "machine": ""})"),
              HasSubstr("below 0"));
}

}  // namespace
}  // namespace replay
