#include "runtime/config/quantity.h"

#include <gmock/gmock.h>

namespace runtime {
namespace {

using namespace std::chrono_literals;
using testing::Optional;

TEST(Quantity, ADurationIsANumberWithAUnit) {
  EXPECT_THAT(parse_duration("250ms"), Optional(std::chrono::nanoseconds(250ms)));
  EXPECT_THAT(parse_duration("1.5s"), Optional(std::chrono::nanoseconds(1500ms)));
  EXPECT_THAT(parse_duration("100us"), Optional(std::chrono::nanoseconds(100us)));
  EXPECT_THAT(parse_duration("7ns"), Optional(std::chrono::nanoseconds(7ns)));
  EXPECT_THAT(parse_duration("2m"), Optional(std::chrono::nanoseconds(2min)));
  EXPECT_THAT(parse_duration("1h"), Optional(std::chrono::nanoseconds(1h)));
  EXPECT_THAT(parse_duration("-3s"), Optional(std::chrono::nanoseconds(-3s)));
  EXPECT_THAT(parse_duration("0.1s"), Optional(std::chrono::nanoseconds(100ms)));
}

TEST(Quantity, WhatIsNoDurationIsNone) {
  for (const auto* words : {"", "250", "s", "ms", "1 s", "1S", "1d", "1.2.3s", "nans", "infs",
                            "1s ", " 1s", "0x1s", "1e300s", "99999999999h"}) {
    EXPECT_EQ(parse_duration(words), std::nullopt) << words;
  }
}

TEST(Quantity, ADurationIsWrittenInItsLargestWholeUnit) {
  EXPECT_EQ(duration_text(250ms), "250ms");
  EXPECT_EQ(duration_text(1500ms), "1500ms");
  EXPECT_EQ(duration_text(90s), "90s");
  EXPECT_EQ(duration_text(120s), "2m");
  EXPECT_EQ(duration_text(24h), "24h");
  EXPECT_EQ(duration_text(1ns), "1ns");
  EXPECT_EQ(duration_text(0s), "0s");
  EXPECT_EQ(duration_text(-5ms), "-5ms");
}

TEST(Quantity, BytesMayHaveABinaryUnit) {
  EXPECT_THAT(parse_bytes("4096"), Optional(4096u));
  EXPECT_THAT(parse_bytes("12B"), Optional(12u));
  EXPECT_THAT(parse_bytes("4KiB"), Optional(4096u));
  EXPECT_THAT(parse_bytes("16MiB"), Optional(16u << 20));
  EXPECT_THAT(parse_bytes("3GiB"), Optional(std::uint64_t{3} << 30));
  for (const auto* words : {"", "KiB", "-1", "1.5MiB", "4KB", "4kib", "4 KiB", "8589934592GiB",
                            "99999999999999999999"}) {
    EXPECT_EQ(parse_bytes(words), std::nullopt) << words;
  }
}

TEST(Quantity, BytesAreWrittenInTheirLargestWholeUnit) {
  EXPECT_EQ(bytes_text(0), "0B");
  EXPECT_EQ(bytes_text(1000), "1000B");
  EXPECT_EQ(bytes_text(1536), "1536B");
  EXPECT_EQ(bytes_text(2048), "2KiB");
  EXPECT_EQ(bytes_text(16u << 20), "16MiB");
}

TEST(Quantity, NumbersAreFiniteDecimals) {
  EXPECT_THAT(parse_number("0.25"), Optional(0.25));
  EXPECT_THAT(parse_number("-1e3"), Optional(-1000.0));
  EXPECT_THAT(parse_integer("-7"), Optional(-7));
  for (const auto* words : {"", "nan", "inf", "1e999", "1,5", "0x10", "1 ", " 1"}) {
    EXPECT_EQ(parse_number(words), std::nullopt) << words;
  }
  for (const auto* words : {"", "1.0", "9223372036854775808", "0x10", "1 "}) {
    EXPECT_EQ(parse_integer(words), std::nullopt) << words;
  }
  EXPECT_EQ(number_text(0.1), "0.1");
  EXPECT_EQ(number_text(1), "1");
}

}  // namespace
}  // namespace runtime
