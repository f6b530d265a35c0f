// The broker's sinks: who they are, which of them joins which batch, and what they are told.
//
//     BatchOpened (first image) -> BatchSealed (no further image) -> BatchSettled (all answered)
//
// A pipeline has up to `sink_max` sinks, each with an index.  Each open batch belongs to one: the
// one with the fewest open batches when the batch opens, so that a sink that has stopped soon gets
// no more.  Stages answer to the sink that their tasks name.
//
// A sink is lost when its connection fails, when another process joins under its index, or when it
// is silent for `silence_max` while another sink is not.  Without another it is waited for: it may
// be blocked, and it holds the answers.  The owner then moves the batches of a lost sink.
//
// Sinks is pure.  Messages go to the Actions it is handed; to a sink that has not joined they are
// dropped, for it is sent the same when it joins.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "broker/ledger.h"
#include "machine/machine.h"
#include "wire/message.h"

namespace broker {

class Sinks {
 public:
  struct Policy {
    wire::Slot slots = 0;        // Slots of every batch.
    std::size_t sink_max = 1;    // At most wire::kSinksMax.
    wire::Duration heartbeat{};  // A sink sends something at least this often.
    wire::Duration silence_max{};
  };
  explicit Sinks(Policy policy) : policy_(policy) {}

  // Takes a sink in, in place of the former one of its index.  Returns false if it is the same sink
  // on the same connection as before.  Requires index < sink_max.
  bool join(wire::SinkIndex index, wire::WorkerId id, machine::Peer peer, wire::Instant now);
  // Notes that a peer has sent something.  Returns its index; nullopt if it is no sink.
  std::optional<wire::SinkIndex> heard(machine::Peer peer, wire::Instant now);

  struct Lost {
    wire::SinkIndex index;
    wire::WorkerId id;
  };
  // Forgets the sink whose connection has failed; nullopt if the peer is no sink.
  std::optional<Lost> leave(machine::Peer peer);
  // Forgets a sink that is silent while another is not; nullopt if there is none.
  std::optional<Lost> leave_silent(wire::Instant now);

  bool is(machine::Peer peer) const { return index_of(peer).has_value(); }
  bool joined(wire::SinkIndex index) const { return seats_[index].sink.has_value(); }
  std::size_t size() const;  // The number of sinks that have joined.
  // Whether a sink has been heard within about a heartbeat.  An answer that one has not passed on
  // which is not heard may wait there.
  bool listens(wire::SinkIndex index, wire::Instant now) const;
  // The sink that should join the next batch; if none has joined, the one that was chosen last.
  wire::SinkIndex choose(wire::Instant now);

  // Chooses the sink of a batch that has just opened, and sends Opened.
  void open(Batch& batch, wire::Instant now, machine::Actions& actions);
  // Gives an open batch to another sink, or once more to its own, and sends what a sink must know.
  void move(Batch& batch, wire::SinkIndex to, wire::Instant now, machine::Actions& actions);
  void send_sealed(const Batch& batch, wire::Instant now, machine::Actions& actions) const;
  // Sends Settled; the batch is not open any more.
  void settle(const Batch& batch, machine::Actions& actions);
  // Sends what the sinks' pages show of workers and broker.
  void send_health(const std::vector<wire::WorkerStates>& workers, const wire::Status& status,
                   machine::Actions& actions) const;

  // Notes what a sink has learned.  Requires joined(index).
  void learn(wire::SinkIndex index, const wire::ServiceTimes& times) {
    seats_[index].times = times;
  }
  // The means of what the sinks have learned, each over those that have learned it.
  wire::ServiceTimes service() const;

 private:
  struct Sink {
    wire::WorkerId id;
    machine::Peer peer;
    wire::Instant heard;
  };
  struct Seat {
    std::optional<Sink> sink;
    std::size_t open = 0;  // Its open batches.
    wire::ServiceTimes times{};
  };
  std::optional<wire::SinkIndex> index_of(machine::Peer peer) const;
  Lost forget(wire::SinkIndex index);
  void send(wire::SinkIndex index, wire::Message message, machine::Actions& actions) const;
  void send_opened(const Batch& batch, wire::Instant now, machine::Actions& actions) const;

  const Policy policy_;
  std::array<Seat, wire::kSinksMax> seats_;
  wire::SinkIndex chosen_ = 0;
};

}  // namespace broker
