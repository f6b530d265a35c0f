#include "runtime/service/service.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "tests/runtime/security/key_folder.h"

namespace {

using namespace std::chrono_literals;
using machine::Actions;
using runtime::KeyOwner;
using runtime::LinkName;
using wire::Instant;

TEST(WithinHost, IsTrueForEndpointsThatNoOtherHostCanReach) {
  EXPECT_TRUE(runtime::within_host("tcp://127.0.0.1:5570"));
  EXPECT_TRUE(runtime::within_host("tcp://localhost:5570"));
  EXPECT_TRUE(runtime::within_host("tcp://[::1]:5570"));
  EXPECT_TRUE(runtime::within_host("inproc://collage"));
  EXPECT_FALSE(runtime::within_host("tcp://*:5570"));
  EXPECT_FALSE(runtime::within_host("tcp://0.0.0.0:5570"));
  EXPECT_FALSE(runtime::within_host("tcp://10.0.0.5:5570"));
}

class OpenKeys : public testing::Test {
 protected:
  OpenKeys() {
    config.keys = folder.path();
    folder.own("broker", pair);
    folder.own("sink", pair);
    folder.own("stage", pair);
  }

  const runtime::KeyPair pair = runtime::new_key_pair();
  runtime_test::KeyFolder folder;
  runtime::ServiceConfig config;
};

TEST_F(OpenKeys, ThereAreNoneWithoutAFolder) {
  EXPECT_EQ(runtime::open_keys({}, KeyOwner::broker), nullptr);
}

TEST_F(OpenKeys, AClientMustHaveAServerKey) {
  EXPECT_NE(runtime::open_keys(config, KeyOwner::broker), nullptr);
  EXPECT_THROW(runtime::open_keys(config, KeyOwner::sink), runtime::ConfigError);
  folder.trust("broker", {pair.shared});
  EXPECT_NE(runtime::open_keys(config, KeyOwner::sink), nullptr);
  EXPECT_THROW(runtime::open_keys(config, KeyOwner::stage), runtime::ConfigError);
  folder.trust("sink", {pair.shared});
  EXPECT_NE(runtime::open_keys(config, KeyOwner::stage), nullptr);
}

TEST_F(OpenKeys, LinksWithinAProcessArePlain) {
  const auto keys = runtime::open_keys(config, KeyOwner::broker);
  EXPECT_TRUE(keyed(runtime::bound_router("tcp://10.0.0.5:1", 1, keys, LinkName::workers)));
  EXPECT_FALSE(keyed(runtime::bound_router("inproc://collage", 1, keys, LinkName::collage)));
  EXPECT_FALSE(keyed(runtime::bound_router("tcp://10.0.0.5:1", 1)));
}

// Finishes some time after a Drain, and may break at its first timeout.
class Fragile : public machine::Machine {
 public:
  Actions on_message(machine::Peer, wire::Message message, Instant now) override {
    if (std::holds_alternative<wire::Drain>(message)) due = now + drains_for;
    return {};
  }
  Actions on_timeout(Instant) override {
    if (breaks) throw std::runtime_error("it broke");
    Actions actions;
    actions.finished = true;
    return actions;
  }
  Actions on_done(wire::WorkId, machine::Outcome, Instant) override { return {}; }
  std::optional<Instant> next_timeout() const override { return due; }

  bool breaks = false;
  wire::Duration drains_for{};
  std::optional<Instant> due;
};

class Serve : public testing::Test {
 protected:
  static void break_at_once(Fragile& machine) {
    machine.breaks = true;
    machine.due = Instant{};
  }
  int serve(std::vector<runtime::Part> parts) {
    process.parts = std::move(parts);
    return runtime::serve({}, signals, std::move(process));
  }

  runtime::Signals signals;
  Fragile first, second;
  runtime::Process process{.name = "test", .parts = {}};
};

// Not 2, after which systemd does not start a process again.
TEST_F(Serve, EndsWithOneIfItsMachineBreaks) {
  break_at_once(first);
  EXPECT_EQ(serve({{"first", first, {}, {}}}), 1);
}

TEST_F(Serve, EndsWithOneIfTheFirstOfTwoMachinesBreaks) {
  break_at_once(first);
  EXPECT_EQ(serve({{"first", first, {}, {}}, {"second", second, {}, {}}}), 1);
}

TEST_F(Serve, EndsWithOneIfTheSecondOfTwoMachinesBreaksAndDoesNotWaitForTheFirst) {
  break_at_once(second);
  process.drain_max = 1h;
  first.drains_for = 1h;
  EXPECT_EQ(serve({{"first", first, {}, {}}, {"second", second, {}, {}}}), 1);
}

TEST_F(Serve, EndsWithOneIfTheSystemDoesNotLetItOpenSomething) {
  process.attach = [](runtime::Loop&, runtime::Report) -> std::shared_ptr<void> {
    throw std::system_error(EMFILE, std::generic_category());
  };
  EXPECT_EQ(serve({{"first", first, {}, {}}}), 1);
}

TEST_F(Serve, EndsWithZeroOnceItHasDrained) {
  raise(SIGTERM);
  EXPECT_EQ(serve({{"first", first, {}, {}}}), 0);
}

TEST_F(Serve, DrainsNoLongerThanTheProcessSays) {
  process.drain_max = 1ms;
  first.drains_for = 3s;
  raise(SIGTERM);
  EXPECT_EQ(serve({{"first", first, {}, {}}}), 1);
}

TEST(DrainMax, IsTheLongestDeadlineAndASecondWithinBounds) {
  EXPECT_EQ(runtime::drain_max_for(5s), 6s);
  EXPECT_EQ(runtime::drain_max_for(30s), 31s);
  EXPECT_EQ(runtime::drain_max_for(10ms), runtime::Loop::Options{}.drain_max);
  EXPECT_EQ(runtime::drain_max_for(1h), 1min);
}

}  // namespace
