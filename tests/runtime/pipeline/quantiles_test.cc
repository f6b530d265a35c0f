#include "runtime/pipeline/quantiles.h"

#include <gmock/gmock.h>

#include "runtime/config/config_error.h"

namespace runtime {
namespace {

std::string error_of(const std::string& text) {
  try {
    parse_quantiles(text, "cloud.csv");
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(Quantiles, RowsAreReadInOrder) {
  const auto rows = parse_quantiles(
      "# Measured.\n"
      "quantile,seconds\n"
      "0,0.0836\r\n"
      "\n"
      "# The middle.\n"
      "0.5,0.138\n"
      "1,4.25",
      "cloud.csv");
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].quantile, 0);
  EXPECT_EQ(rows[0].value, 0.0836);
  EXPECT_EQ(rows[1].quantile, 0.5);
  EXPECT_EQ(rows[1].value, 0.138);
  EXPECT_EQ(rows[2].quantile, 1);
  EXPECT_EQ(rows[2].value, 4.25);
  EXPECT_TRUE(machine::QuantileTable::valid(rows));
}

TEST(Quantiles, WhatIsWrongIsNamedWithItsPlace) {
  const std::string head = "quantile,seconds\n";
  EXPECT_EQ(error_of("# a\nquantile,ms\n"),
            "cloud.csv:2:1: is 'quantile,ms', expected the header quantile,seconds");
  EXPECT_EQ(error_of(head + "0 1\n"), "cloud.csv:2:1: is '0 1', expected two numbers");
  EXPECT_EQ(error_of(head + "0.5x,1\n"),
            "cloud.csv:2:1: is '0.5x', expected a quantile from 0 to 1");
  EXPECT_EQ(error_of(head + "1.5,1\n"), "cloud.csv:2:1: is '1.5', expected a quantile from 0 to 1");
  EXPECT_EQ(error_of(head + "0,1,2\n"),
            "cloud.csv:2:3: is '1,2', expected seconds from 0 to 86400");
  EXPECT_EQ(error_of(head + "0,nan\n"),
            "cloud.csv:2:3: is 'nan', expected seconds from 0 to 86400");
  EXPECT_EQ(error_of(head + "0,-1\n"), "cloud.csv:2:3: is '-1', expected seconds from 0 to 86400");
  EXPECT_EQ(error_of(head + "0,1e9\n"),
            "cloud.csv:2:3: is '1e9', expected seconds from 0 to 86400");
}

TEST(Quantiles, QuantilesRiseFromZeroToOneAndSecondsDoNotFall) {
  const std::string head = "quantile,seconds\n";
  EXPECT_EQ(error_of(head + "0,1\n0.5,1\n1,1\n"), "");
  EXPECT_EQ(error_of(head + "0.1,1\n1,1\n"),
            "cloud.csv:2:1: the first quantile is 0.1, expected 0");
  EXPECT_EQ(error_of(head + "0,1\n0.5,1\n0.5,2\n1,3\n"),
            "cloud.csv:4:1: quantile 0.5 follows 0.5, expected rising quantiles");
  EXPECT_EQ(error_of(head + "0,1\n0.5,0.9\n1,3\n"),
            "cloud.csv:3:5: seconds 0.9 follow 1, expected seconds that do not fall");
  EXPECT_EQ(error_of(head + "0,1\n0.9,2\n# End.\n"),
            "cloud.csv:3:1: the last quantile is 0.9, expected 1");
}

TEST(Quantiles, AFileWithoutRowsEndsTooEarly) {
  EXPECT_EQ(error_of(""),
            "cloud.csv:1:1: ends too early, expected quantile,seconds and at least two rows");
  EXPECT_EQ(error_of("quantile,seconds\n0,1\n"),
            "cloud.csv:2:1: ends too early, expected quantile,seconds and at least two rows");
}

TEST(Quantiles, AFileThatCannotBeReadIsNamed) {
  try {
    load_quantiles("/nonexistent/cloud.csv");
    FAIL() << "read all the same";
  } catch (const ConfigError& error) {
    EXPECT_STREQ(error.what(), "/nonexistent/cloud.csv: cannot be read: No such file or directory");
  }
}

}  // namespace
}  // namespace runtime
