// Strangers at the ports of real processes, while an honest producer streams images: what they do
// is refused or ignored, and counted; no process ends, and no answer is lost, wrong or theirs.
//
// With COLLAGE_STRANGERS_MEASURE in the environment the honest producer is alone and attacked by
// turns for longer, and what is printed is a measurement.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <sys/resource.h>

#include <chrono>
#include <fstream>
#include <memory>
#include <zmq.hpp>

#include "runtime/loop/clock.h"
#include "runtime/loop/link.h"
#include "runtime/security/key_tree.h"
#include "runtime/security/keys.h"
#include "tests/raw_client.h"
#include "tests/system/honest.h"
#include "tests/system/live_pipeline.h"
#include "tests/system/zmtp.h"
#include "tests/wire/samples.h"

namespace {

using namespace std::chrono_literals;
using runtime::PublicKey;
using system_test::by_turns;
using system_test::Honest;
using system_test::LivePipeline;
using system_test::measuring;
using testing::IsEmpty;
using testing::Le;
using tests::RawClient;

namespace fs = std::filesystem;
namespace zmtp = system_test::zmtp;

int port_of(const std::string& endpoint) {
  return std::stoi(endpoint.substr(endpoint.rfind(':') + 1));
}

// For a thousand connections and more; a process that we start inherits it.
void allow_descriptors(rlim_t number = 8192) {
  rlimit files{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &files), 0);
  files.rlim_cur = std::min(files.rlim_max, number);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &files), 0);
}

// Finishes a handshake as a peer that wants to be called `id`; false if the server does not begin
// its own within `milliseconds`.  libzmq 4.3.4 closes a connection on which greeting and command
// come at once.
bool shake_hands(const RawClient& client, const std::string& id, int milliseconds = 20'000) {
  // A message before the server's READY, which follows its greeting, would end the connection.
  return client.connected() && client.send(zmtp::greeting()) && client.stirs(milliseconds) &&
         client.send(zmtp::ready(id)) && client.stirs(milliseconds, zmtp::kGreetingBytes + 1);
}

// A pipeline with an honest producer, and what its broker and its sink count, over HTTP.
class Strangers : public testing::Test {
 protected:
  // Starts processes of `descriptors` each.
  void start(const fs::path& keys = {}, rlim_t descriptors = 8192) {
    allow_descriptors(descriptors);
    system_test::Overrides all = {{"policy", "none"},
                                  {"broker.deadline", "20s"},
                                  {"http.address", "127.0.0.1"},
                                  {"http.broker", std::to_string(ports_[0])},
                                  {"http.sink", std::to_string(ports_[1])},
                                  {"http.classifier", std::to_string(ports_[2])},
                                  {"http.collage", std::to_string(ports_[3])}};
    if (!keys.empty()) all.emplace_back("security.keys", keys.string());
    pipeline_ = std::make_unique<LivePipeline>(
        all, replay::live::Fleet::Size{.classifiers = 1, .collages = 0});
    allow_descriptors();
    honest_ = std::make_unique<Honest>(*pipeline_, keys);
  }
  // Expects that all processes live and that the honest producer had all its answers.
  void finish() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    honest_->finish(test->name());
    EXPECT_THAT(pipeline_->fleet().exited(), IsEmpty());
    EXPECT_TRUE(pipeline_->stop());
  }

  // A figure of /metrics by the begin of its line, of all parts together.
  double figure(int port, const std::string& begin) const {
    const auto got = httplib::Client("127.0.0.1", port).Get("/metrics");
    if (!got) return -1;
    const std::string text = "\n" + got->body;
    const std::size_t at = text.find("\n" + begin + " ");
    return at == text.npos ? -1 : std::stod(text.substr(at + begin.size() + 2));
  }
  double of_broker(const std::string& begin) const { return figure(broker_http(), begin); }
  double of_sink(const std::string& begin) const { return figure(sink_http(), begin); }
  int broker_http() const { return ports_[0]; }
  int sink_http() const { return ports_[1]; }
  // Waits until a figure is as `matcher` says.
  template <class Matcher>
  void await_broker(const std::string& begin, Matcher matcher, wire::Duration limit = 20s) const {
    const wire::Instant until = runtime::now() + limit;
    while (!testing::Value(of_broker(begin), matcher) && runtime::now() < until) {
      replay::live::pause(20ms);
    }
    EXPECT_THAT(of_broker(begin), matcher) << begin;
  }

  std::vector<std::string> links() const {
    return {pipeline_->producers(), pipeline_->workers(), pipeline_->answers()};
  }
  LivePipeline& pipeline() { return *pipeline_; }
  Honest& honest() { return *honest_; }

 private:
  const std::vector<int> ports_ = replay::live::free_ports(4);
  std::unique_ptr<LivePipeline> pipeline_;
  std::unique_ptr<Honest> honest_;
};

const std::string kDropped = "collage_messages_dropped_total{part=\"broker\",reason=";
const std::string kFailed = "collage_handshakes_failed_total{part=\"broker\",reason=";

// --- keys ---

// The keys of a pipeline on this host, and those of another pipeline.
class Tree {
 public:
  explicit Tree(const std::string& name) : folder_(system_test::scratch(name)) {
    fs::remove_all(folder_);
    runtime::make_key_tree(folder_, {"here", {"here"}, {"here"}, {"here"}, ""});
  }
  fs::path folder() const { return folder_ / "here"; }
  runtime::KeyPair pair(const std::string& owner) const {
    return runtime::read_key_pair(folder() / (owner + ".secret"));
  }

 private:
  const fs::path folder_;
};

// A dealer of libzmq with any key, that sends what it likes.
class Dealer {
 public:
  Dealer(runtime::Context& context, const std::string& endpoint)
      : socket_(context.native(), zmq::socket_type::dealer), endpoint_(endpoint) {
    socket_.set(zmq::sockopt::linger, 0);
  }
  void use(const runtime::KeyPair& own, const PublicKey& server) {
    socket_.set(zmq::sockopt::curve_serverkey, server.text());
    socket_.set(zmq::sockopt::curve_publickey, own.shared.text());
    socket_.set(zmq::sockopt::curve_secretkey, std::string(own.secret.text()));
  }
  void connect() { socket_.connect(endpoint_); }
  // False if the queue is full.
  bool send(const wire::Message& message) {
    const wire::Frames frames = encode(message);
    const auto body = frames.payload.bytes();
    using zmq::send_flags;
    const auto wait = send_flags::dontwait;
    const auto more = frames.has_payload ? wait | send_flags::sndmore : wait;
    return socket_.send(zmq::buffer(frames.header), more) &&
           (!frames.has_payload || socket_.send(zmq::buffer(body.data(), body.size()), wait));
  }
  // The kinds of the messages that have come.
  std::vector<std::string> received() {
    std::vector<std::string> kinds;
    zmq::message_t header;
    while (socket_.recv(header, zmq::recv_flags::dontwait)) {
      const bool alone = !header.more();
      const auto message = wire::decode({header.data<std::uint8_t>(), header.size()}, {});
      kinds.push_back(message && alone ? std::string(kind(*message)) : "another");
      for (zmq::message_t part; header.more(); header = std::move(part)) {
        if (!socket_.recv(part, zmq::recv_flags::dontwait)) break;
      }
    }
    return kinds;
  }

 private:
  zmq::socket_t socket_;
  const std::string endpoint_;
};

class KeyedStrangers : public Strangers {
 protected:
  // Lets a peer with `own` send every kind of message on every link, over and over.
  void play(const runtime::KeyPair* own, const PublicKey* broker = nullptr) {
    const PublicKey broker_key = broker ? *broker : keys_.pair("broker").shared;
    std::vector<Dealer> peers;
    for (const std::string& link : links()) {
      Dealer& peer = peers.emplace_back(context_, link);
      const bool to_sink = link == pipeline().answers();
      if (own) peer.use(*own, to_sink ? keys_.pair("sink").shared : broker_key);
      peer.connect();
    }
    by_turns(honest(), [&] {
      for (int time = 0; time < 10; ++time) {
        for (Dealer& peer : peers) {
          for (const wire::Message& message : wire_test::samples()) (void)peer.send(message);
        }
        EXPECT_TRUE(honest().await(5));
      }
    });
    for (Dealer& peer : peers) {
      for (const std::string& kind : peer.received()) received_.push_back(kind);
    }
  }

  const Tree keys_{"keys"}, others_{"others"};
  runtime::Context context_;
  std::vector<std::string> received_;  // What came to any of them.
};

TEST_F(KeyedStrangers, WithoutAKeyGetNoWordIn) {
  start(keys_.folder());
  const double before = of_broker("collage_messages_received_total{part=\"broker\"}");
  play(nullptr);
  EXPECT_THAT(received_, IsEmpty());
  EXPECT_GT(before, 0);
  EXPECT_GT(of_broker(kFailed + "\"failed\"}"), 0);
  EXPECT_GT(of_sink("collage_handshakes_failed_total{part=\"sink\",reason=\"failed\"}"), 0);
  EXPECT_EQ(of_broker(kDropped + "\"denied\"}"), 0);
  finish();
}

TEST_F(KeyedStrangers, WithAWrongKeyGetNoWordIn) {
  start(keys_.folder());
  const runtime::KeyPair unknown = others_.pair("producer");
  play(&unknown);
  const PublicKey not_the_brokers = others_.pair("broker").shared;
  play(&unknown, &not_the_brokers);
  EXPECT_THAT(received_, IsEmpty());
  EXPECT_GT(of_broker(kFailed + "\"key_refused\"}"), 0);
  EXPECT_GT(of_broker(kFailed + "\"failed\"}"), 0);
  EXPECT_GT(of_sink("collage_handshakes_failed_total{part=\"sink\",reason=\"key_refused\"}"), 0);
  EXPECT_EQ(of_broker(kDropped + "\"denied\"}"), 0);
  finish();
}

// Every kind of message with every key, on the links where it is admitted and where it is not.  The
// ids in them are the samples': the first owner keeps an id.
TEST_F(KeyedStrangers, WithTheKeyOfAnotherRoleTakeNobodysPlace) {
  start(keys_.folder());
  for (const char* role : {"producer", "stage", "sink"}) {
    const runtime::KeyPair own = keys_.pair(role);
    play(&own);
  }
  // Answers to what they may ask, and results of what they have submitted themselves (each of the
  // honest producer's came to it).  No task and no image.
  EXPECT_THAT(received_, testing::Each(testing::AnyOf("status", "welcome", "refuse", "result")));
  EXPECT_GT(of_broker(kFailed + "\"key_refused\"}"), 0);
  EXPECT_GT(of_broker(kDropped + "\"denied\"}"), 0);
  EXPECT_GT(of_sink("collage_messages_dropped_total{part=\"sink\",reason=\"denied\"}"), 0);
  finish();
}

// --- routing ids ---

std::string chosen(std::uint32_t number) {
  std::string id(1, '\0');
  for (int shift = 24; shift >= 0; shift -= 8) id += static_cast<char>(number >> shift & 0xff);
  return id;
}

// Every form; those of libzmq's own form are where an unseeded generator would begin, and ahead.
std::vector<std::string> chosen_ids() {
  std::vector<std::string> ids = {"a",
                                  std::string(1, '\0'),
                                  std::string(4, '\0'),
                                  std::string(6, '\0'),
                                  std::string(255, 'x'),
                                  "abcde",
                                  std::string(254, '\0')};
  for (const std::uint32_t first : {1804289383u, 3829176425u, 0u, 0xffffffffu}) {
    for (std::uint32_t ahead = 0; ahead < 60; ++ahead) ids.push_back(chosen(first + ahead));
  }
  return ids;
}

TEST_F(Strangers, WhoChooseTheirRoutingIdsGetNothingAndEndNothing) {
  start();
  const std::string status = zmtp::message(wire::StatusRequest{});
  std::vector<RawClient> named, plain;
  by_turns(honest(), [&] {
    for (const std::string& link : links()) {
      for (const std::string& id : chosen_ids()) {
        named.emplace_back(port_of(link));
        EXPECT_TRUE(shake_hands(named.back(), id));
        // Of libzmq's own form they are answered as anybody is; the others are not.
        if (id.size() != 5 || id[0] != 0) named.back().send(status);
      }
      for (int i = 0; i < 70; ++i) {
        plain.emplace_back(port_of(link));
        EXPECT_TRUE(shake_hands(plain.back(), ""));
        plain.back().send(status);
        // At once: who answers no ping is soon taken for gone.
        std::string got;
        while (zmtp::messages_in(got) == 0 && plain.back().stirs(5000)) {
          if (!plain.back().receive(got)) break;
        }
        EXPECT_EQ(zmtp::messages_in(got), 1u) << link;
      }
    }
  });
  for (const RawClient& one : named) {
    std::string got;
    one.receive(got);
    EXPECT_EQ(zmtp::messages_in(got), 0u);
  }
  // Seven forms on two links of the broker, and on one of the sink.
  EXPECT_GE(of_broker(kDropped + "\"foreign_id\"}"), 14);
  EXPECT_GE(of_sink("collage_messages_dropped_total{part=\"sink\",reason=\"foreign_id\"}"), 7);
  finish();
}

// --- connections ---

TEST_F(Strangers, WhoNeverFinishAHandshakeAreEndedAThousandAtATime) {
  start();
  const double before = of_broker("process_open_fds");
  std::vector<RawClient> silent;
  by_turns(honest(), [&] {
    silent.clear();
    const std::string all = zmtp::greeting() + zmtp::ready("");
    for (std::size_t i = 0; i < 1000; ++i) {
      silent.emplace_back(port_of(i % 2 == 0 ? pipeline().producers() : pipeline().workers()));
      EXPECT_TRUE(silent.back().connected());
      // Nothing, or any part of it.
      if (i % 4 != 0) silent.back().send(std::string_view(all).substr(0, i % (all.size() - 1)));
    }
  });
  for (const RawClient& one : silent) {
    const auto got = one.rest();
    ASSERT_TRUE(got) << "it was not ended";
    EXPECT_EQ(zmtp::messages_in(*got), 0u);
  }
  EXPECT_GE(of_broker("collage_connections_accepted_total{part=\"broker\"}"), 1000);
  await_broker(kFailed + "\"failed\"}", testing::Ge(1000));
  await_broker("process_open_fds", Le(before + 5));
  EXPECT_EQ(of_broker("collage_accept_pauses_total{part=\"broker\"}"), 0);
  finish();
}

// CPU time that a process has used, in seconds.
double cpu_seconds(pid_t process) {
  std::ifstream stat("/proc/" + std::to_string(process) + "/stat");
  std::string word;
  std::getline(stat, word, ')');
  double user = 0, system = 0;
  for (int field = 3; field <= 13; ++field) stat >> word;
  stat >> user >> system;
  return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

TEST_F(Strangers, WhoTakeEveryDescriptorKeepOutNobodyWhoIsInAndNobodyForLong) {
  constexpr rlim_t kDescriptors = 512;
  start({}, kDescriptors);
  const pid_t broker = pipeline().fleet().process("broker").id();
  runtime::Context context;
  zmq::socket_t flood;
  by_turns(honest(), [&] {
    // Each finishes its handshake, stays, and tries again if it is refused.  A dealer would connect
    // only once.
    flood = zmq::socket_t(context.native(), zmq::socket_type::router);
    flood.set(zmq::sockopt::linger, 0);
    for (rlim_t i = 0; i < 2 * kDescriptors; ++i) flood.connect(pipeline().producers());
    await_broker("collage_accept_paused{part=\"broker\"}", testing::Eq(1));
    const double cpu = cpu_seconds(broker);
    const wire::Instant begin = runtime::now();
    EXPECT_TRUE(honest().await(50));
    EXPECT_LT((cpu_seconds(broker) - cpu) / wire::to_seconds(runtime::now() - begin), 0.5);
  });
  // Some are left for the process itself, such as for this connection.
  EXPECT_LT(of_broker("process_open_fds"), static_cast<double>(kDescriptors));
  EXPECT_GE(of_broker("collage_accept_pauses_total{part=\"broker\"}"), 1);
  EXPECT_EQ(of_broker("collage_accept_failures_total{part=\"broker\"}"), 0);
  flood.close();
  producer::Connection another(pipeline().producers());
  EXPECT_TRUE(another.join(20s));
  await_broker("collage_accept_paused{part=\"broker\"}", testing::Eq(0));
  finish();
}

// --- HTTP ---

TEST_F(Strangers, AtTheHttpPortsDelayNobodysAnswers) {
  start();
  std::vector<RawClient> visitors;
  by_turns(honest(), [&] {
    visitors.clear();
    for (const int port : {broker_http(), sink_http()}) {
      std::string ranges = "bytes=0-9";
      for (int i = 0; i < 2700; ++i) ranges += ",0-9";
      visitors.emplace_back(port).send("GET /metrics HTTP/1.1\r\nRange: " + ranges + "\r\n\r\n");
      visitors.emplace_back(port).send("GET /metrics HTTP/1.1\r\n");
      while (visitors.back().send("X-Header: " + std::string(100'000, 'x') + "\r\n")) continue;
      visitors.emplace_back(port).send("POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n");
      for (int i = 0; i < 50; ++i) {
        visitors.emplace_back(port).send("GET /metrics HTTP/1.1\r\n\r\n");
      }
      // Last, for these take every place that there is.
      for (int i = 0; i < 100; ++i) visitors.emplace_back(port).send("GET /metr");
    }
  });
  for (const RawClient& one : visitors) EXPECT_TRUE(one.rest()) << "it was not ended";
  const std::string ended = "collage_http_visitors_ended_total{reason=";
  for (const int port : {broker_http(), sink_http()}) {
    // Each of the silent ones, by whichever of the two there was a place for.
    const double slow = figure(port, ended + "\"too_slow\"}");
    EXPECT_GE(slow, 1);
    EXPECT_GE(slow + figure(port, ended + "\"too_many\"}"), 100);
    EXPECT_GE(figure(port, ended + "\"too_long\"}"), 1);
    EXPECT_GE(figure(port, ended + "\"too_many\"}"), 1);
  }
  finish();
}

// --- hellos ---

TEST_F(Strangers, WhoSayHelloAHundredThousandTimesTakeNoPlaceOfAnother) {
  start();
  runtime::Context context;
  Dealer producer(context, pipeline().producers()), worker(context, pipeline().workers());
  producer.connect();
  worker.connect();
  const std::size_t hellos = measuring() ? 300'000 : 100'000;
  std::vector<std::string> got;
  std::uint64_t sent = 0;
  const auto answers = [&] {
    for (Dealer* one : {&producer, &worker}) {
      for (const std::string& kind : one->received()) {
        if (kind != "welcome" && kind != "refuse") got.push_back(kind);
      }
    }
  };
  by_turns(honest(), [&] {
    const std::uint64_t enough = sent + hellos / (measuring() ? 3 : 1);
    const wire::Instant until = runtime::now() + 30s;
    while (sent < enough && runtime::now() < until) {
      wire::ProducerHello hello;
      hello.producer = {7, sent};
      wire::WorkerHello work;
      work.worker = {7, sent};
      sent += producer.send(hello);
      sent += worker.send(work);
      if (sent % 100 == 0) answers();
    }
    EXPECT_GE(sent, enough);
  });
  answers();
  EXPECT_THAT(got, IsEmpty());
  await_broker("collage_producers_refused_total{part=\"broker\"}", testing::Ge(1000));
  await_broker("collage_workers_refused_total{part=\"broker\"}", testing::Ge(1000));
  finish();
}

}  // namespace
