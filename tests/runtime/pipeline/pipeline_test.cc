#include "runtime/pipeline/pipeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "imaging/format.h"
#include "runtime/pipeline/startup.h"
#include "runtime/pipeline/variant.h"

namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::filesystem::path kShipped = std::filesystem::path(COLLAGE_SOURCE_DIR) / "pipeline.yaml";

std::string shipped_text() {
  std::ifstream in(kShipped);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// The shipped file with one piece of text replaced.
std::string with(const std::string& old, const std::string& fresh) {
  std::string text = shipped_text();
  const std::size_t at = text.find(old);
  EXPECT_NE(at, std::string::npos) << old;
  return text.replace(at, old.size(), fresh);
}

// The error line for the text.
std::string refusal(const std::string& text) {
  try {
    runtime::parse_pipeline(text, kShipped.parent_path() / "pipeline.yaml");
  } catch (const runtime::ConfigError& error) {
    const std::string line = error.what();
    EXPECT_EQ(line.find('\n'), std::string::npos);
    return line.substr(kShipped.parent_path().string().size() + 1);
  }
  return "accepted";
}

int line_of(const std::string& text, const std::string& piece) {
  const std::size_t at = text.find(piece);
  return 1 + static_cast<int>(std::count(text.begin(), text.begin() + static_cast<long>(at), '\n'));
}

TEST(Pipeline, TheShippedFileIsValid) {
  const runtime::Pipeline pipeline = runtime::load_pipeline(kShipped);
  EXPECT_EQ(pipeline.grid, 3);
  EXPECT_EQ(pipeline.broker.linger, wire::Duration(20ms));
  EXPECT_EQ(pipeline.broker.correction_window, wire::Duration(2s));
  EXPECT_EQ(pipeline.broker.correction_max, 4096u);
  EXPECT_TRUE(pipeline.sink.patience.learned);
  EXPECT_FALSE(pipeline.emulation);
}

TEST(Pipeline, CorrectionsCanBeTurnedOff) {
  const std::string text = with("correction_window: 2s ", "correction_window: 0s ");
  EXPECT_EQ(runtime::parse_pipeline(text, kShipped).broker.correction_window, wire::Duration(0s));
}

TEST(Pipeline, AnUnknownKeyIsRefusedAtItsPlaceWithASuggestion) {
  const std::string text = with("  linger:", "  lingr:");
  EXPECT_THAT(refusal(text),
              AllOf(StartsWith("pipeline.yaml:" + std::to_string(line_of(text, "lingr")) + ":3: "),
                    HasSubstr("broker.lingr"), HasSubstr("linger")));
}

TEST(Pipeline, AWrongTypeSaysWhatIsAllowed) {
  EXPECT_THAT(refusal(with("grid: 3", "grid: three")),
              AllOf(HasSubstr("grid"), HasSubstr("from 2 to 5")));
  EXPECT_THAT(refusal(with("linger: 20ms", "linger: 20")), HasSubstr("unit"));
}

TEST(Pipeline, AValueOutOfRangeSaysTheRange) {
  EXPECT_THAT(refusal(with("grid: 3", "grid: 6")), HasSubstr("from 2 to 5"));
  EXPECT_THAT(refusal(with("gate: 0 ", "gate: 1.5 ")), HasSubstr("sink.gate"));
}

TEST(Pipeline, WeightsAreReadByKeyNameAndById) {
  const std::string id = "00000000000000ab00000000000000CD";
  const std::string weights = "broker:\n  weights:\n    cameras: 4\n    " + id + ": 2\n";
  const auto pipeline = runtime::parse_pipeline(with("broker:\n", weights), kShipped);
  const broker::Weights& read = pipeline.broker.weights;
  EXPECT_EQ(broker::weight_of(read, "cameras", {1, 2}), 4u);
  EXPECT_EQ(broker::weight_of(read, "", {0xab, 0xcd}), 2u);
  EXPECT_EQ(broker::weight_of(read, "others", {1, 2}), 1u);
}

TEST(Pipeline, AWeightOutOfRangeOrGivenTwiceIsRefused) {
  const auto refused = [](const std::string& weights) {
    return refusal(with("broker:\n", "broker:\n  weights:\n" + weights));
  };
  EXPECT_THAT(refused("    cameras: 0\n"),
              AllOf(HasSubstr("broker.weights.cameras"), HasSubstr("from 1 to 100")));
  const std::string digits = "0000000000000000000000000000000";
  EXPECT_THAT(refused("    " + digits + "A: 2\n    " + digits + "a: 3\n"),
              HasSubstr("is the same producer as another key"));
}

TEST(Pipeline, FormatsOfImagesAreSwitchedOnByName) {
  const auto formats = [](const std::string& list) {
    return runtime::parse_pipeline(with("formats: [jpeg, png, webp]", "formats: " + list), kShipped)
        .stages.formats;
  };
  using imaging::Format;
  EXPECT_EQ(formats("[jpeg, png, webp]"), imaging::kDefaultFormats);
  EXPECT_EQ(formats("[gif, tiff, heic, avif, gif]"),
            (imaging::FormatSet{Format::gif, Format::tiff, Format::heic, Format::avif}));
  EXPECT_THAT(refusal(with("formats: [jpeg, png, webp]", "formats: [jpeg, bmp]")),
              HasSubstr("images.formats: has 'bmp', expected some of jpeg, png, webp, gif"));
  EXPECT_THAT(refusal(with("formats: [jpeg, png, webp]", "formats: []")),
              HasSubstr("images.formats: is empty"));
}

TEST(Pipeline, APrecisionIsOneOfThree) {
  const std::string text = with("precision: auto", "precision: bfloat16");
  EXPECT_EQ(
      runtime::parse_pipeline(text, kShipped.parent_path() / "pipeline.yaml").models.precision,
      "bfloat16");
  EXPECT_THAT(refusal(with("precision: auto", "precision: int8")), HasSubstr("models.precision"));
}

TEST(Pipeline, AnUnknownPolicyListsThePolicies) {
  EXPECT_THAT(refusal(with("policy: collage-hedge", "policy: colage")),
              AllOf(HasSubstr("policy"), HasSubstr("'colage'"), HasSubstr("hedge-budget")));
}

TEST(Pipeline, TheOrderOfWaitsIsEnforcedAtTheKeyThatBreaksIt) {
  const std::string rule = "linger < patience < hedge_after < deadline";
  EXPECT_THAT(refusal(with("linger: 20ms", "linger: 300ms")),
              AllOf(HasSubstr("sink.patience_initial"), HasSubstr(rule)));
  EXPECT_THAT(refusal(with("hedge_after: 400ms", "hedge_after: 200ms")),
              AllOf(HasSubstr("broker.hedge_after"), HasSubstr(rule)));
  EXPECT_THAT(refusal(with("deadline: 5s", "deadline: 350ms")),
              AllOf(HasSubstr("broker.deadline"), HasSubstr(rule)));
  EXPECT_THAT(refusal(with("patience_max: 2s", "patience_max: 6s")),
              AllOf(HasSubstr("sink.patience_max"), HasSubstr(rule)));
}

TEST(Pipeline, AMissingModelIsNamed) {
  EXPECT_THAT(refusal(with("models/fashion_single.yaml", "models/nobody.yaml")),
              AllOf(HasSubstr("models.single"), HasSubstr("models/nobody.yaml")));
}

TEST(Pipeline, EndpointsAreCheckedAndMustDiffer) {
  EXPECT_THAT(refusal(with("127.0.0.1:5570", "127.0.0.1:70000")),
              AllOf(HasSubstr("endpoints.producers"), HasSubstr("1 to 65535")));
  EXPECT_THAT(refusal(with("127.0.0.1:5570", "127.0.0.1:0")), HasSubstr("1 to 65535"));
  EXPECT_THAT(refusal(with("127.0.0.1:5571", "127.0.0.1:5570")), HasSubstr("same as producers"));
}

TEST(Pipeline, EndpointsMayBeNamesAddressesAndPaths) {
  for (const char* good : {"tcp://localhost:5571", "tcp://broker.example:5571", "tcp://[::1]:5571",
                           "tcp://[fd00::7]:5571", "ipc:///run/collage/workers"}) {
    EXPECT_EQ(refusal(with("tcp://127.0.0.1:5571", good)), "accepted") << good;
  }
  EXPECT_EQ(refusal(with("tcp://127.0.0.1:5570", "tcp://*:5570")), "accepted");
  EXPECT_EQ(refusal(with("inproc://collage", "ipc://@collage")), "accepted");
}

// A star is an alias in YAML, unless it is in quotes or behind other text.
TEST(Pipeline, EndpointsThatNobodyCanConnectToAreRefusedWithWhatToWrite) {
  EXPECT_THAT(refusal(with("tcp://127.0.0.1:5571", "tcp://*:5571")),
              AllOf(HasSubstr("endpoints.workers"), HasSubstr("cannot connect"),
                    HasSubstr("such as tcp://127.0.0.1:5571")));
  EXPECT_THAT(refusal(with("tcp://127.0.0.1:5572", "tcp://::1:5572")),
              HasSubstr("expected brackets: tcp://[::1]:5572"));
  EXPECT_THAT(refusal(with("tcp://127.0.0.1:5572", "inproc://x")), HasSubstr("no other process"));
  EXPECT_THAT(refusal(with("tcp://127.0.0.1:5572", "ipc://x")), HasSubstr("an absolute path"));
}

TEST(Pipeline, EveryAddressIsForWhoListensAndNotForWhoConnects) {
  using runtime::KeyOwner;
  const std::filesystem::path file = std::filesystem::path(testing::TempDir()) / "everywhere.yaml";
  const auto starts = [&file](const std::string& key, const std::string& endpoint, KeyOwner owner) {
    std::ofstream(file) << runtime::pipeline_variant(kShipped, {{key, endpoint}});
    try {
      const runtime::Startup start({.pipeline = file, .check = true}, owner);
      return std::string("accepted");
    } catch (const runtime::ConfigError& error) {
      return std::string(error.what());
    }
  };
  for (const char* every : {"tcp://0.0.0.0:5571", "tcp://[::]:5571"}) {
    EXPECT_EQ(starts("endpoints.workers", every, KeyOwner::broker), "accepted");
    for (const KeyOwner owner : {KeyOwner::sink, KeyOwner::stage}) {
      EXPECT_THAT(starts("endpoints.workers", every, owner),
                  AllOf(HasSubstr("endpoints.workers"), HasSubstr("cannot connect")));
    }
    EXPECT_EQ(starts("endpoints.answers", every, KeyOwner::sink), "accepted");
    EXPECT_THAT(starts("endpoints.answers", every, KeyOwner::stage), HasSubstr("cannot connect"));
  }
  std::filesystem::remove(file);
}

TEST(Pipeline, AnHttpAddressIsWrittenAsHttpServersKnowIt) {
  for (const char* wrong : {"\"*\"", "\"[::1]\""}) {
    EXPECT_THAT(refusal(with("address: 127.0.0.1", std::string("address: ") + wrong)),
                AllOf(HasSubstr("http.address"), HasSubstr("0.0.0.0 (every address)")));
  }
  EXPECT_EQ(refusal(with("address: 127.0.0.1", "address: \"::1\"")), "accepted");
}

TEST(Pipeline, TheAddressOfTheGatewayIsWrittenInTheSameWay) {
  const auto file_with = [](const std::string& address) {
    return with("address: 127.0.0.1        # TLS", "address: " + address + "  # TLS");
  };
  for (const char* wrong : {"\"*\"", "\"[::1]\""}) {
    EXPECT_THAT(refusal(file_with(wrong)),
                AllOf(HasSubstr("gateway.address"), HasSubstr("0.0.0.0 (every address)"),
                      Not(HasSubstr("none"))));
  }
  EXPECT_EQ(refusal(file_with("\"::1\"")), "accepted");
}

TEST(Pipeline, TheGatewayHasTheOwnBrokerUnlessItsSectionListsOthers) {
  const auto brokers = [](const std::string& listed) {
    return runtime::parse_pipeline(with("brokers: []", "brokers: " + listed), kShipped)
        .gateway.brokers;
  };
  EXPECT_THAT(brokers("[]"), ElementsAre("tcp://127.0.0.1:5570"));
  EXPECT_THAT(brokers("[tcp://a:5570, \"tcp://[fd00::7]:5570\"]"),
              ElementsAre("tcp://a:5570", "tcp://[fd00::7]:5570"));
}

TEST(Pipeline, BrokersThatAGatewayCannotUseAreRefused) {
  const auto refused = [](const std::string& listed) {
    return refusal(with("brokers: []", "brokers: " + listed));
  };
  for (const char* wrong : {"tcp://*:5570", "tcp://0.0.0.0:5570", "tcp://[::]:5570", "inproc://x",
                            "tcp://a:0", "a:5570"}) {
    EXPECT_THAT(refused("[tcp://a:5570, \"" + std::string(wrong) + "\"]"),
                AllOf(HasSubstr("gateway.brokers"), HasSubstr(wrong)));
  }
  EXPECT_THAT(refused("[tcp://a:5570, tcp://b:5570, tcp://a:5570]"), HasSubstr("twice"));
  std::string many;
  for (int i = 0; i < 17; ++i) many += (i == 0 ? "" : ", ") + ("tcp://a:" + std::to_string(1 + i));
  EXPECT_THAT(refused("[" + many + "]"), HasSubstr("at most 16"));
  EXPECT_THAT(refused("tcp://a:5570"), HasSubstr("expected a list"));
  EXPECT_THAT(refusal(with("  failover_after: 1s", "  failover_after: 1ms")),
              HasSubstr("gateway.failover_after"));
}

TEST(Pipeline, ACheckOfTheGatewayLooksItsBrokersUp) {
  const std::filesystem::path file =
      std::filesystem::path(testing::TempDir()) / "gateway_brokers.yaml";
  const auto check = [&file](runtime::KeyOwner owner) {
    std::ofstream(file) << runtime::pipeline_variant(
        kShipped, {{"gateway.brokers", "[tcp://no-such-host.invalid:5570]"}});
    const runtime::Startup start({.pipeline = file, .check = true}, owner);
    return start.only_checks();
  };
  EXPECT_TRUE(check(runtime::KeyOwner::stage));  // It does not care.
  try {
    check(runtime::KeyOwner::producer);
    FAIL() << "accepted";
  } catch (const runtime::ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("gateway.brokers: is 'tcp://no-such-host.invalid:5570'"));
  }
  std::filesystem::remove(file);
}

TEST(Pipeline, ACheckOfTheGatewayRefusesAnAddressOfAnotherHost) {
  const std::filesystem::path file =
      std::filesystem::path(testing::TempDir()) / "gateway_address.yaml";
  const auto check = [&file](const std::string& address) {
    std::ofstream(file) << runtime::pipeline_variant(kShipped, {{"gateway.address", address}});
    const runtime::Startup start({.pipeline = file, .check = true}, runtime::KeyOwner::producer);
    return start.only_checks();
  };
  EXPECT_TRUE(check("127.0.0.1"));
  EXPECT_TRUE(check("0.0.0.0"));
  try {
    check("192.0.2.1");
    ADD_FAILURE() << "accepted";
  } catch (const runtime::ConfigError& error) {
    EXPECT_THAT(error.what(),
                AllOf(HasSubstr("gateway.address"), HasSubstr("not an address of this host")));
  }
  std::filesystem::remove(file);
}

TEST(Pipeline, EndpointsThatClashAreRefused) {
  EXPECT_THAT(refusal(with("127.0.0.1:5571", "localhost:5570")), HasSubstr("same as producers"));
  std::string text = with("tcp://127.0.0.1:5570", "tcp://*:5571");
  EXPECT_THAT(refusal(text), HasSubstr("endpoints.workers: has the port of producers"));
}

TEST(Pipeline, AVariantReadsBackWithItsOverrides) {
  const std::string text = runtime::pipeline_variant(
      kShipped,
      {{"policy", "hedge"},
       {"broker.linger", "7ms"},
       {"emulation.seed", "3"},
       {"emulation.slow", "[classifier-3, collage-0]"},
       {"emulation.slow_factor", "2.5"},
       {"emulation.file", COLLAGE_SOURCE_DIR "/replay/quantiles/cloud-latency-2019.csv"}});
  const runtime::Pipeline pipeline = runtime::parse_pipeline(text, "/elsewhere/pipeline.yaml");
  const runtime::Pipeline original = runtime::load_pipeline(kShipped);
  EXPECT_EQ(pipeline.policy, "hedge");
  EXPECT_EQ(pipeline.broker.linger, wire::Duration(7ms));
  EXPECT_EQ(pipeline.broker.deadline, original.broker.deadline);
  EXPECT_EQ(pipeline.broker.image_bytes_max, original.broker.image_bytes_max);
  ASSERT_TRUE(pipeline.emulation.has_value());
  EXPECT_EQ(pipeline.emulation->seed, 3u);
  EXPECT_EQ(pipeline.emulation->latency.source, runtime::Latency::Source::quantiles);
  EXPECT_THAT(pipeline.emulation->slow, testing::ElementsAre("classifier-3", "collage-0"));
  EXPECT_EQ(pipeline.emulation->slow_factor, 2.5);
  EXPECT_TRUE(std::filesystem::exists(pipeline.models.single));
}

TEST(Pipeline, IsPlainUnlessItNamesAFolderOfKeys) {
  EXPECT_FALSE(runtime::load_pipeline(kShipped).service.keys);
  const runtime::Pipeline keyed =
      runtime::parse_pipeline(shipped_text() + "\nsecurity:\n  keys: docs\n", kShipped);
  EXPECT_EQ(keyed.service.keys, kShipped.parent_path() / "docs");
}

TEST(Pipeline, AFolderOfKeysThatIsNotThereIsRefused) {
  EXPECT_THAT(refusal(shipped_text() + "\nsecurity:\n  keys: nowhere\n"),
              HasSubstr("security.keys: there is no folder 'nowhere'"));
}

TEST(Pipeline, AVariantMayLeaveAKeyOut) {
  const std::filesystem::path file =
      std::filesystem::path(testing::TempDir()) / "collage_keyed_pipeline.yaml";
  std::ofstream(file) << runtime::pipeline_variant(kShipped,
                                                   {{"security.keys", testing::TempDir()}});
  EXPECT_TRUE(runtime::load_pipeline(file).service.keys);
  const std::string plain = runtime::pipeline_variant(file, {{"security.keys", ""}});
  EXPECT_FALSE(runtime::parse_pipeline(plain, kShipped).service.keys);
}

TEST(Pipeline, TheResolvedTextReadsBackAndSaysWhereEachValueComesFrom) {
  const runtime::Pipeline original = runtime::load_pipeline(kShipped);
  const std::string text = runtime::resolved_text(original);
  EXPECT_THAT(text, StartsWith("# " + kShipped.string() + "\ngrid: 3 "));
  EXPECT_THAT(text, testing::ContainsRegex("\n  deadline: 5s +# line [0-9]+\n"));
  const runtime::Pipeline again = runtime::parse_pipeline(text, kShipped);
  ASSERT_EQ(again.service.resolved.size(), original.service.resolved.size());
  for (std::size_t i = 0; i < again.service.resolved.size(); ++i) {
    EXPECT_EQ(again.service.resolved[i].path, original.service.resolved[i].path);
    EXPECT_EQ(again.service.resolved[i].value, original.service.resolved[i].value);
  }
  const std::string sparse =
      runtime::resolved_text(runtime::parse_pipeline(with("  deadline: 5s ", "  # "), kShipped));
  EXPECT_THAT(sparse, testing::ContainsRegex("\n  deadline: 5s +# default\n"));
}

}  // namespace
