#include "producer/push/push_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

namespace producer {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

constexpr const char* kEndpoint = "tcp://127.0.0.1:5570";

// Parses a command line; throws the exceptions of CLI11.
PushOptions parse(std::vector<std::string> arguments) {
  CLI::App app("", "collage-push");
  PushOptions options;
  add_push_options(app, options);
  std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them in reverse order.
  app.parse(std::move(arguments));
  return options;
}

// Returns the error line for a wrong command line.
std::string error_of(std::vector<std::string> arguments) {
  try {
    (void)parse(std::move(arguments));
  } catch (const CLI::ParseError& error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    return error.what();
  }
  return "";
}

TEST(PushOptions, KeysAreAFolder) {
  EXPECT_EQ(parse({"a.jpg", "-e", kEndpoint}).keys, "");
  EXPECT_EQ(parse({"a.jpg", "-e", kEndpoint, "--keys", "folder"}).keys, "folder");
}

TEST(PushOptions, PathsAndAnEndpointAreEnough) {
  const PushOptions options = parse({"a.jpg", "dir/", "-", "--endpoint", kEndpoint});
  EXPECT_THAT(options.paths, ElementsAre("a.jpg", "dir/", "-"));
  EXPECT_THAT(options.endpoints, ElementsAre(kEndpoint));
  EXPECT_EQ(options.rate, 0);
  EXPECT_EQ(options.deadline, 0s);  // The default.
  EXPECT_EQ(options.reach_max, 5s);
  EXPECT_EQ(options.failover_after, 1s);
  EXPECT_FALSE(options.quiet);
  EXPECT_FALSE(options.status);
  EXPECT_FALSE(options.in_order);
  EXPECT_FALSE(options.corrections);
  EXPECT_EQ(options.priority, wire::Priority::normal);
  EXPECT_FALSE(options.latest);
}

TEST(PushOptions, EveryOptionIsHeard) {
  const PushOptions options = parse(
      {"-e", kEndpoint, "--rate", "2.5", "--deadline", "0.25", "--timeout", "1", "--failover-after",
       "0.5", "--quiet", "--in-order", "--corrections", "--priority", "high", "--latest", "a"});
  EXPECT_EQ(options.rate, 2.5);
  EXPECT_EQ(options.deadline, 250ms);
  EXPECT_EQ(options.reach_max, 1s);
  EXPECT_EQ(options.failover_after, 500ms);
  EXPECT_TRUE(options.quiet);
  EXPECT_TRUE(options.in_order);
  EXPECT_TRUE(options.corrections);
  EXPECT_EQ(options.priority, wire::Priority::high);
  EXPECT_TRUE(options.latest);
}

TEST(PushOptions, APriorityIsOneOfThreeWords) {
  EXPECT_EQ(parse({"a", "-e", kEndpoint, "--priority", "low"}).priority, wire::Priority::low);
  EXPECT_EQ(parse({"a", "-e", kEndpoint, "--priority", "normal"}).priority, wire::Priority::normal);
  for (const char* wrong : {"urgent", "2", "High"}) {
    EXPECT_THAT(error_of({"a", "-e", kEndpoint, "--priority", wrong}),
                HasSubstr("is not low, normal or high"));
  }
}

TEST(PushOptions, OfSeveralBrokersAStreamHasAlwaysTheSame) {
  const PushOptions options =
      parse({"a", "-e", kEndpoint, "-e", "tcp://b:5570", "--stream", "camera-7"});
  EXPECT_THAT(options.endpoints, UnorderedElementsAre(kEndpoint, "tcp://b:5570"));
  const PushOptions turned =
      parse({"a", "-e", "tcp://b:5570", "-e", kEndpoint, "--stream", "camera-7"});
  EXPECT_EQ(options.endpoints, turned.endpoints);  // The next is always the same, too.
  EXPECT_THAT(error_of({"a", "-e", kEndpoint, "-e", "tcp://b:5570"}), HasSubstr("--stream"));
}

TEST(PushOptions, StatusNeedsNoPath) { EXPECT_TRUE(parse({"--status", "-e", kEndpoint}).status); }

TEST(PushOptions, WhatIsMissingIsNamed) {
  EXPECT_THAT(error_of({"-e", kEndpoint}), HasSubstr("path"));
  EXPECT_THAT(error_of({"a.jpg"}), HasSubstr("--endpoint"));
  EXPECT_THAT(error_of({"a.jpg", "-e", kEndpoint, "--rat", "1"}), HasSubstr("--rat"));
}

TEST(PushOptions, BadValuesAreNamedWithWhatIsAllowed) {
  EXPECT_THAT(error_of({"a", "-e", kEndpoint, "--rate", "0"}), HasSubstr("images per second"));
  EXPECT_THAT(error_of({"a", "-e", kEndpoint, "--rate", "nan"}), HasSubstr("'nan'"));
  EXPECT_THAT(error_of({"a", "-e", kEndpoint, "--deadline", "-1"}), HasSubstr("seconds"));
  EXPECT_THAT(error_of({"a", "-e", kEndpoint, "--deadline", "2s"}), HasSubstr("'2s'"));
  EXPECT_THAT(error_of({"a", "-e", kEndpoint, "--timeout", "1e9"}), HasSubstr("86400"));
}

TEST(PushOptions, ListsStandInPlaceOfPaths) {
  EXPECT_THAT(parse({"--list", "a.txt", "--list", "b.txt", "-e", kEndpoint}).lists,
              ElementsAre("a.txt", "b.txt"));
}

TEST(PushOptions, TheFormatIsOneOfTwoWords) {
  EXPECT_FALSE(parse({"a", "-e", kEndpoint, "--format", "json"}).csv);
  EXPECT_TRUE(parse({"a", "-e", kEndpoint, "--format", "csv"}).csv);
  EXPECT_THAT(error_of({"a", "-e", kEndpoint, "--format", "xml"}), HasSubstr("csv"));
}

TEST(PushOptions, TheEnvironmentMayNameTheEndpoints) {
  setenv("COLLAGE_ENDPOINT", "tcp://one:1,tcp://two:2", 1);
  EXPECT_THAT(parse({"a", "--stream", "s"}).endpoints, ElementsAre("tcp://one:1", "tcp://two:2"));
  EXPECT_THAT(parse({"a", "-e", kEndpoint}).endpoints, ElementsAre(kEndpoint));
  unsetenv("COLLAGE_ENDPOINT");
  EXPECT_THAT(error_of({"a"}), HasSubstr("COLLAGE_ENDPOINT"));
}

TEST(PushOptions, HelpHasExamplesUnitsAndExitCodes) {
  CLI::App app;
  PushOptions options;
  add_push_options(app, options);
  EXPECT_THAT(app.help(), AllOf(HasSubstr("Examples:"), HasSubstr("Seconds"),
                                HasSubstr("Exit code: 0"), HasSubstr("--deadline")));
}

}  // namespace
}  // namespace producer
