// Pictures that pass between two loops on two threads of one process, as between an assembler and
// its collage-CNN.  The thread sanitizer watches who reads and writes their bytes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <optional>
#include <thread>
#include <utility>

#include "machine/machine.h"
#include "runtime/loop/loop.h"

namespace runtime {
namespace {

using namespace std::chrono_literals;
using machine::Actions;
using machine::Peer;
using wire::Instant;
using wire::Message;

constexpr const char* kPictures = "inproc://pictures";
constexpr std::size_t kBytes = 100'000;

std::uint64_t sum(const wire::Payload& picture) {
  const auto bytes = picture.bytes();
  return std::accumulate(bytes.begin(), bytes.end(), std::uint64_t{0});
}

wire::Submit picture(std::uint8_t shade) {
  return {{shade}, 0s, wire::Payload(wire::Payload::Bytes(kBytes, shade))};
}

// Reads each picture that it gets and answers with a new one, a shade darker.
class Darker : public machine::Machine {
 public:
  Actions on_message(Peer from, Message message, Instant) override {
    Actions actions;
    if (const auto* submit = std::get_if<wire::Submit>(&message)) {
      actions.send(from, picture(static_cast<std::uint8_t>(sum(submit->image) / kBytes + 1)));
    }
    actions.finished = std::holds_alternative<wire::Drain>(message);
    return actions;
  }
  Actions on_timeout(Instant) override { return {}; }
  Actions on_done(wire::WorkId, machine::Outcome, Instant) override { return {}; }
  std::optional<Instant> next_timeout() const override { return std::nullopt; }
};

// Sends a picture, and every picture that it gets a shade darker, until one has shade 20.
class Asker : public Darker {
 public:
  Actions on_message(Peer from, Message message, Instant now) override {
    const auto* submit = std::get_if<wire::Submit>(&message);
    last = submit ? sum(submit->image) : 0;
    if (last < 20 * kBytes) return Darker::on_message(from, std::move(message), now);
    Actions actions;
    actions.finished = true;
    return actions;
  }
  Actions on_timeout(Instant) override {
    timer_.reset();
    Actions actions;
    actions.send({0, 0}, picture(1));
    return actions;
  }
  std::optional<Instant> next_timeout() const override { return timer_; }

  std::uint64_t last = 0;

 private:
  std::optional<Instant> timer_ = Instant{};
};

TEST(Inproc, PicturesPassBetweenTwoThreadsUnharmed) {
  Context context;
  Darker darker;
  Asker asker;
  Loop server(context, {{.kind = Link::Kind::router, .bind = true, .endpoint = kPictures}}, darker,
              nullptr, {});
  std::thread thread([&] { server.run(); });
  Loop client(context, {{.endpoint = kPictures}}, asker, nullptr, {});
  EXPECT_EQ(client.run(), Loop::End::finished);
  EXPECT_EQ(asker.last, 20 * kBytes);
  server.stop();
  thread.join();
}

}  // namespace
}  // namespace runtime
