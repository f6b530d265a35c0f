// Stands between one stage and the rest of a pipeline and forwards its messages: late, not at all,
// or with an invalid answer in place of the stage's own.
//
//     stage --DEALER--> ROUTER downstream(way) --> DEALER upstream of that peer --> broker or sink
//
// The process of a stage may open several sockets to one address, and broker and sink tell them
// apart by their connections, so each gets its own upstream.  A pure machine; live/relay.h runs it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>

#include "machine/machine.h"
#include "machine/random.h"

namespace replay::live {

// The faults of a link that are active now; none by default.
struct LinkFaults {
  // Longest delay of a message, drawn uniformly.  Messages between two sockets keep their order.
  wire::Duration delay_max{};
  double loss = 0;       // Share of messages that are lost, 0 to 1.
  bool garbage = false;  // The stage's answers are replaced by invalid ones.
};

class Forwarder : public machine::Machine {
 public:
  static constexpr std::uint32_t kUpstreams = 2;  // Most sockets of a stage to one address.
  // The link to which the stage connects: way 0 leads to the broker, way 1 to the sink.  The
  // upstreams of a way are the links right after it.
  static constexpr std::uint32_t downstream(std::uint32_t way) { return way * (1 + kUpstreams); }

  // Calls `link_faults` for each message.
  Forwarder(std::function<LinkFaults()> link_faults, machine::Rng rng)
      : link_faults_(std::move(link_faults)), rng_(rng) {}

  machine::Actions on_message(machine::Peer from, wire::Message message,
                              wire::Instant now) override;
  machine::Actions on_timeout(wire::Instant now) override;
  machine::Actions on_done(wire::WorkId work, machine::Outcome outcome, wire::Instant now) override;
  std::optional<wire::Instant> next_timeout() const override;

  struct Counters {
    std::uint64_t passed = 0;   // Messages forwarded.
    std::uint64_t garbled = 0;  // Messages forwarded with an invalid answer.
    std::uint64_t lost = 0;     // Messages lost by chance, or because kWaitingMax were waiting.
    std::uint64_t dropped = 0;  // Messages without a receiver, and frames that are no message.
  };
  const Counters& counters() const { return counters_; }

 private:
  static constexpr std::size_t kWaitingMax = 10'000;

  std::optional<machine::Peer> other_end(machine::Peer from);
  void garble(wire::Message& message);

  const std::function<LinkFaults()> link_faults_;
  machine::Rng rng_;
  std::map<machine::Peer, machine::Peer> upstream_of_;       // Upstream by socket of the stage.
  std::map<machine::Peer, machine::Peer> stage_of_;          // Socket of the stage by upstream.
  std::multimap<wire::Instant, machine::Outgoing> waiting_;  // Delayed messages by due time.
  std::map<machine::Peer, wire::Instant> last_due_;          // Latest due time by receiver.
  Counters counters_;
};

}  // namespace replay::live
