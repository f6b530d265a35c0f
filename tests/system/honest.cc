#include "tests/system/honest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "runtime/loop/clock.h"

namespace system_test {
namespace {

using namespace std::chrono_literals;

constexpr wire::Duration kPace = 20ms;
constexpr std::size_t kOpenMax = 4;  // So that a slow host is not overloaded, which refuses images.

double milliseconds(wire::Duration duration) { return wire::to_seconds(duration) * 1000; }

}  // namespace

bool measuring() { return std::getenv("COLLAGE_STRANGERS_MEASURE") != nullptr; }

void by_turns(Honest& honest, const std::function<void()>& attack) {
  const int rounds = measuring() ? 3 : 1;
  const std::size_t images = measuring() ? 150 : 50;
  for (int round = 0; round < rounds; ++round) {
    honest.attacked(false);
    EXPECT_TRUE(honest.await(images));
    honest.attacked(true);
    attack();
    EXPECT_TRUE(honest.await(images));
  }
  honest.attacked(false);
}

Honest::Honest(const LivePipeline& pipeline, const std::filesystem::path& keys)
    : endpoint_(pipeline.producers()), keys_(keys), thread_([this] { run(); }) {
  EXPECT_TRUE(await(images_.size()));
}

Honest::~Honest() {
  stopped_ = true;
  if (thread_.joinable()) thread_.join();
}

void Honest::submit(producer::Connection& connection, bool attacked) {
  const std::size_t number = sent_.size();
  sent_.push_back({.at = runtime::now(), .attacked = attacked});
  const auto note = [this, number](const producer::Delivered& got) {
    Sent& sent = sent_[number];
    sent.answers += 1;
    sent.latency = runtime::now() - sent.at;
    if (got.result.status == wire::ResultStatus::answered) {
      sent.label = got.result.predictions.front().name;
    } else {
      sent.others = to_string(got.result.status);
    }
    ++answered_;
  };
  EXPECT_TRUE(connection.submit(images_[number % images_.size()].image, note).has_value());
}

void Honest::run() {
  producer::Connection connection(endpoint_, {}, keys_);
  EXPECT_TRUE(connection.join(10s));
  wire::Instant next = runtime::now();
  while (!stopped_) {
    if (runtime::now() >= next && connection.open() < kOpenMax) {
      submit(connection, attacked_);
      next = std::max(next + kPace, runtime::now());
    }
    connection.poll(std::clamp<wire::Duration>(next - runtime::now(), 1ms, kPace));
  }
  EXPECT_EQ(connection.close(20s), 0u);
  EXPECT_EQ(connection.counters().duplicate_results, 0u);
  EXPECT_EQ(connection.counters().unknown_results, 0u);
}

bool Honest::await(std::size_t count) const {
  const std::size_t enough = answered_ + count;
  const wire::Instant until = runtime::now() + 60s;
  while (answered_ < enough && runtime::now() < until) replay::live::pause(2ms);
  return answered_ >= enough;
}

wire::Duration Honest::p99(bool attacked) const {
  std::vector<wire::Duration> latencies;
  for (std::size_t i = images_.size(); i < sent_.size(); ++i) {
    if (sent_[i].attacked == attacked) latencies.push_back(sent_[i].latency);
  }
  if (latencies.empty()) return {};
  std::ranges::sort(latencies);
  return latencies[latencies.size() * 99 / 100];
}

void Honest::finish(const std::string& name) {
  stopped_ = true;
  thread_.join();
  for (std::size_t i = 0; i < sent_.size(); ++i) {
    EXPECT_EQ(sent_[i].answers, 1) << name << ", image " << i << " " << sent_[i].others;
    EXPECT_EQ(sent_[i].label, sent_[i % images_.size()].label) << name << ", image " << i;
  }
  const wire::Duration alone = p99(false), attacked = p99(true);
  EXPECT_LT(attacked, 2s) << name;  // Whatever else runs on this host.
  std::printf("%s: p99 alone %.1f ms, attacked %.1f ms, ratio %.2f, %zu images\n", name.c_str(),
              milliseconds(alone), milliseconds(attacked),
              wire::to_seconds(attacked) / wire::to_seconds(alone), sent_.size());
}

}  // namespace system_test
