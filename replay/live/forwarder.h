// Stands between one stage and the rest of a pipeline and passes its messages on: late, not at all,
// or made nonsense of.
//
//     stage --DEALER--> ROUTER downstream(way) --> DEALER upstream of that peer --> broker or sink
//
// A process of a stage may have several sockets for one address, and those behind know each by its
// connection, so each gets an upstream of its own.  A pure machine; live/relay.h drives it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>

#include "machine/machine.h"
#include "machine/random.h"

namespace replay::live {

// What is wrong with a link now; nothing by default.
struct Ills {
  wire::Duration delay_max{};  // Each message waits up to so long; those from one socket to another
                               // keep their order.
  double loss = 0;             // Share of the messages that are lost.
  bool garbage = false;        // What the stage answers is nonsense.
};

class Forwarder : public machine::Machine {
 public:
  static constexpr std::uint32_t kUpstreams = 2;  // Sockets of a stage for each way.
  // Where the stage connects: way 0 is to the broker, 1 to the sink.  The upstreams of a way are
  // the links right after it.
  static constexpr std::uint32_t downstream(std::uint32_t way) { return way * (1 + kUpstreams); }

  // `ills` is asked for each message.
  Forwarder(std::function<Ills()> ills, machine::Rng rng) : ills_(std::move(ills)), rng_(rng) {}

  machine::Actions on_message(machine::Peer from, wire::Message message,
                              wire::Instant now) override;
  machine::Actions on_timeout(wire::Instant now) override;
  machine::Actions on_done(wire::WorkId work, machine::Outcome outcome, wire::Instant now) override;
  std::optional<wire::Instant> next_timeout() const override;

  struct Counters {
    std::uint64_t passed = 0;
    std::uint64_t garbled = 0;  // Of those.
    std::uint64_t lost = 0;     // By chance, or beyond kWaitingMax.
    std::uint64_t dropped = 0;  // Nobody was there to have it, or it was no message.
  };
  const Counters& counters() const { return counters_; }

 private:
  static constexpr std::size_t kWaitingMax = 10'000;

  std::optional<machine::Peer> other_end(machine::Peer from);
  void garble(wire::Message& message);

  const std::function<Ills()> ills_;
  machine::Rng rng_;
  std::map<machine::Peer, machine::Peer> upstream_of_,
      stage_of_;                                             // By peer of the stage, by upstream.
  std::multimap<wire::Instant, machine::Outgoing> waiting_;  // By when they are due.
  std::map<machine::Peer, wire::Instant> last_due_;          // By whom they are for.
  Counters counters_;
};

}  // namespace replay::live
