// The public library: what client.h promises, seen from outside, with a broker that is played.
#include <collage/client.h>
// First, so that it stands on its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "tests/library/played_broker.h"

namespace {

using namespace std::chrono_literals;
using collage::Client;
using collage::Error;
using collage::Options;
using collage::Priority;
using collage::Result;
using collage::Status;
using library_test::PlayedBroker;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// Nobody listens there, and nobody else can come to.
const std::string kNowhere =
    "ipc://" + (std::filesystem::path(testing::TempDir()) / "collage-nobody").string();
const std::vector<std::byte> kImage(100, std::byte{1});

// The code of the Error that `call` throws; its text goes to `what`.
template <class Call>
std::optional<Error::Code> thrown(Call call, std::string* what = nullptr) {
  try {
    call();
  } catch (const Error& error) {
    if (what) *what = error.what();
    return error.code();
  }
  return std::nullopt;
}

std::optional<Error::Code> refused(Options options) {
  return thrown([&] { Client client(std::move(options)); });
}

// Answers each image with a collage's "coat".
std::vector<wire::Message> coats(const wire::Message& message) {
  if (std::holds_alternative<wire::ProducerHello>(message)) return {library_test::welcome()};
  if (const auto* submit = std::get_if<wire::Submit>(&message)) {
    return {library_test::answer(submit->request)};
  }
  return {};
}

TEST(Library, RefusesOptionsThatCannotBe) {
  constexpr auto kInvalid = Error::Code::invalid_argument;
  EXPECT_EQ(refused({}), kInvalid);
  EXPECT_EQ(refused({.endpoints = {"127.0.0.1:5570"}}), kInvalid);
  EXPECT_EQ(refused({.endpoints = {"tcp://not a host:port"}}), kInvalid);
  EXPECT_EQ(refused({.endpoints = {kNowhere, kNowhere + "2"}}), kInvalid);
  EXPECT_EQ(refused({.endpoints = {kNowhere}, .deadline = 0s}), kInvalid);
  EXPECT_EQ(refused({.endpoints = {kNowhere}, .deadline = 25h}), kInvalid);
  EXPECT_EQ(refused({.endpoints = {kNowhere}, .connect_timeout = -1s}), kInvalid);
  EXPECT_EQ(refused({.endpoints = {kNowhere}, .open_max = 0}), kInvalid);
  EXPECT_EQ(refused({.endpoints = {kNowhere}, .open_bytes_max = 0}), kInvalid);
  EXPECT_EQ(refused({.endpoints = {kNowhere}, .failover_after = 0s}), kInvalid);
  EXPECT_EQ(refused({.endpoints = {kNowhere}}), std::nullopt);
}

TEST(Library, NamesTheFileOfKeysThatIsNotThere) {
  std::string what;
  const auto code =
      thrown([] { Client client({.endpoints = {kNowhere}, .keys = "/nowhere/keys"}); }, &what);
  EXPECT_EQ(code, Error::Code::keys);
  EXPECT_THAT(what, HasSubstr("/nowhere/keys/producer.secret"));
}

TEST(Library, SaysThatNoBrokerAnsweredInTime) {
  Client client({.endpoints = {kNowhere}, .connect_timeout = 50ms});
  std::string what;
  EXPECT_EQ(thrown([&] { client.connect(); }, &what), Error::Code::unreachable);
  EXPECT_EQ(what, "no broker answered at " + kNowhere + " within 0.05 s");
  EXPECT_FALSE(client.connected());
}

TEST(Library, UsesTheNextBrokerWhileThePreferredOneIsSilent) {
  const PlayedBroker broker(coats);
  Options options{.endpoints = {kNowhere, broker.endpoint()}, .failover_after = 100ms};
  // A name by which the silent one comes first; each does with a chance of a half.
  for (int i = 0; i < 100; ++i) {
    options.affinity = "camera-" + std::to_string(i);
    Client client(options);
    if (client.endpoint() != kNowhere) continue;
    EXPECT_EQ(client.classify(kImage).status, Status::answered);
    EXPECT_EQ(client.endpoint(), broker.endpoint());
    return;
  }
  FAIL() << "the silent broker never comes first";
}

TEST(Library, SaysThatTheBrokerSpeaksAnotherProtocolWithoutWaiting) {
  const PlayedBroker broker([](const wire::Message&) {
    return std::vector<wire::Message>{wire::Refuse{wire::Reason::wrong_protocol, 3}};
  });
  Client client({.endpoints = {broker.endpoint()}, .connect_timeout = 24h});
  EXPECT_EQ(thrown([&] { client.connect(); }), Error::Code::incompatible);
}

TEST(Library, GivesAnAnswerWithItsClassesAndItsSource) {
  const PlayedBroker broker(coats);
  Client client({.endpoints = {broker.endpoint()}});
  client.connect();
  EXPECT_TRUE(client.connected());
  EXPECT_EQ(client.window(), 8u);
  const Result result = client.classify(kImage);
  EXPECT_EQ(result.request, 1u);
  EXPECT_EQ(result.status, Status::answered);
  EXPECT_EQ(result.source, collage::Source::collage);
  ASSERT_THAT(result.predictions, SizeIs(2));
  EXPECT_EQ(result.predictions[0].name, "coat");
  EXPECT_EQ(result.predictions[0].label, 4u);
  EXPECT_EQ(result.predictions[0].probability, 0.75F);
  EXPECT_EQ(result.model, "collage-1");
  EXPECT_EQ(result.broker_latency, 3ms);
  EXPECT_GT(result.latency, 0ns);
  EXPECT_FALSE(result.local);
  EXPECT_EQ(client.open(), 0u);
}

TEST(Library, KeepsTheResultsOfOthersWhileItClassifies) {
  const PlayedBroker broker(coats);
  Client client({.endpoints = {broker.endpoint()}});
  ASSERT_EQ(client.submit(kImage), 1u);
  ASSERT_EQ(client.submit(std::span(kImage)), 2u);
  EXPECT_EQ(client.classify(kImage).request, 3u);
  EXPECT_EQ(client.open(), 2u);
  EXPECT_THAT(client.drain(10s),
              ElementsAre(Field(&Result::request, 1u), Field(&Result::request, 2u)));
  EXPECT_EQ(client.open(), 0u);
}

TEST(Library, GivesTheResultsOfAStreamInTheOrderOfSubmission) {
  // The second image is answered first.
  std::optional<wire::RequestId> first;
  const PlayedBroker broker([&first](const wire::Message& message) {
    const auto* submit = std::get_if<wire::Submit>(&message);
    if (!submit) return coats(message);
    if (!first) {
      first = submit->request;
      return std::vector<wire::Message>{};
    }
    return std::vector<wire::Message>{library_test::answer(submit->request),
                                      library_test::answer(*first)};
  });
  Client client({.endpoints = {broker.endpoint()}});
  ASSERT_TRUE(client.submit(kImage, {.stream = 5}));
  ASSERT_TRUE(client.submit(kImage, {.stream = 5}));
  EXPECT_THAT(client.drain(10s),
              ElementsAre(Field(&Result::request, 1u), Field(&Result::request, 2u)));
}

// The broker answers the second image, and tells that the first one is superseded.
TEST(Library, ANewerImageSupersedesAnOlderOne) {
  std::optional<wire::RequestId> first;
  const PlayedBroker broker([&first](const wire::Message& message) {
    const auto* submit = std::get_if<wire::Submit>(&message);
    if (!submit) return coats(message);
    EXPECT_EQ(submit->latest, 9u);
    EXPECT_EQ(submit->priority, first ? wire::Priority::low : wire::Priority::high);
    if (!first) {
      first = submit->request;
      return std::vector<wire::Message>{};
    }
    wire::Result older;
    older.request = *first;
    older.status = wire::ResultStatus::superseded;
    wire::Result newer = library_test::answer(submit->request);
    newer.brownout = true;
    return std::vector<wire::Message>{older, newer};
  });
  Client client({.endpoints = {broker.endpoint()}});
  client.connect();
  ASSERT_TRUE(client.submit(kImage, {.priority = Priority::high, .latest = 9}));
  EXPECT_THAT(client.poll(0ms), IsEmpty());
  ASSERT_TRUE(client.submit(kImage, {.priority = Priority::low, .latest = 9}));
  const std::vector<Result> results = client.drain(10s);
  ASSERT_THAT(results, ElementsAre(Field(&Result::status, Status::superseded),
                                   Field(&Result::status, Status::answered)));
  EXPECT_FALSE(results[0].local);
  EXPECT_FALSE(results[0].brownout);
  EXPECT_TRUE(results[1].brownout);
}

TEST(Library, HandsOutACorrectionAfterItsResult) {
  const PlayedBroker broker([](const wire::Message& message) {
    std::vector<wire::Message> answers = coats(message);
    if (const auto* submit = std::get_if<wire::Submit>(&message)) {
      answers.push_back(wire::Correction{.request = submit->request,
                                         .source = wire::Source::single,
                                         .latency = 9ms,
                                         .predictions = {{"shirt", {{.value = 6}, 0.5F}}},
                                         .version = "single-1"});
    }
    return answers;
  });
  Client client({.endpoints = {broker.endpoint()}, .corrections = true});
  EXPECT_EQ(client.classify(kImage).source, collage::Source::collage);
  std::vector<collage::Correction> corrections = client.take_corrections();
  while (corrections.empty() && client.correctable() > 0) {
    client.poll(10s);
    corrections = client.take_corrections();
  }
  ASSERT_THAT(corrections, SizeIs(1));
  EXPECT_EQ(corrections[0].request, 1u);
  EXPECT_EQ(corrections[0].source, collage::Source::single);
  EXPECT_EQ(corrections[0].predictions.at(0).name, "shirt");
  EXPECT_EQ(corrections[0].broker_latency, 9ms);
  EXPECT_THAT(client.take_corrections(), IsEmpty());
}

TEST(Library, GivesAnImageThatNobodyAnswersItsResultAtTheDeadline) {
  Client client({.endpoints = {kNowhere}});
  const Result result = client.classify(kImage, {.deadline = 20ms});
  EXPECT_EQ(result.status, Status::missing);
  EXPECT_TRUE(result.local);
  EXPECT_GE(result.latency, 20ms);
}

TEST(Library, CancelsAnImageThatIsOpenAndNoOther) {
  Client client({.endpoints = {kNowhere}});
  ASSERT_EQ(client.submit(kImage), 1u);
  EXPECT_TRUE(client.cancel(1));
  EXPECT_FALSE(client.cancel(2));
  EXPECT_THAT(client.drain(10s), ElementsAre(Field(&Result::status, Status::cancelled)));
}

TEST(Library, TakesNoMoreThanItsBoundAllows) {
  const PlayedBroker broker(coats);
  Client client({.endpoints = {broker.endpoint()}, .open_max = 2});
  EXPECT_TRUE(client.submit(kImage));
  EXPECT_EQ(client.classify(kImage).status, Status::answered);
  // Answered, but its result was not returned: it still counts.
  EXPECT_EQ(client.open(), 1u);
  EXPECT_TRUE(client.submit(kImage));
  EXPECT_FALSE(client.submit(kImage));
  EXPECT_EQ(thrown([&] { client.classify(kImage); }), Error::Code::full);
  EXPECT_THAT(client.drain(10s), SizeIs(2));
}

TEST(Library, RefusesADeadlineThatCannotBe) {
  Client client({.endpoints = {kNowhere}});
  EXPECT_EQ(thrown([&] { static_cast<void>(client.submit(kImage, {.deadline = -1s})); }),
            Error::Code::invalid_argument);
  EXPECT_EQ(client.open(), 0u);
}

TEST(Library, RefusesAPriorityThatCannotBe) {
  Client client({.endpoints = {kNowhere}});
  const auto priority = static_cast<Priority>(3);
  EXPECT_EQ(thrown([&] { static_cast<void>(client.submit(kImage, {.priority = priority})); }),
            Error::Code::invalid_argument);
  EXPECT_EQ(client.open(), 0u);
}

TEST(Library, IsInterruptedByAnotherThread) {
  Client client({.endpoints = {kNowhere}});
  std::jthread other([&] { client.interrupt(); });
  EXPECT_THAT(client.poll(24h), IsEmpty());
  other.join();
  client.interrupt();
  EXPECT_EQ(thrown([&] { client.connect(); }), Error::Code::interrupted);
}

TEST(Library, ChoosesTheBrokerOfAnAffinityWhateverTheOrder) {
  const Client one({.endpoints = {"tcp://a:5570", "tcp://b:5570"}, .affinity = "camera-2"});
  const Client two({.endpoints = {"tcp://b:5570", "tcp://a:5570"}, .affinity = "camera-2"});
  EXPECT_EQ(one.endpoint(), "tcp://a:5570");
  EXPECT_EQ(two.endpoint(), "tcp://a:5570");
}

TEST(Library, NamesWhatItKnows) {
  EXPECT_EQ(to_string(Status::cancelled), "cancelled");
  EXPECT_EQ(to_string(Status::superseded), "superseded");
  EXPECT_EQ(to_string(collage::Source::hedge), "hedge");
}

}  // namespace
