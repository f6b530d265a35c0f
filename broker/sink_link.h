// The broker's link to its sink: who the sink is, and what it must know of the open batches.
//
//     BatchOpened (first image) -> BatchSealed (no further image) -> BatchSettled (all answered)
//
// A sink that joins is sent Opened and Sealed of every open batch, for it may have restarted.
//
// The heartbeat timeout does not apply to the sink: one that was blocked for a while still holds
// answers, and dropping it would not bring another.  A sink is replaced only when its connection
// fails or another sink joins.
//
// SinkLink is pure.  Messages go to the Actions it is handed; without a sink they are dropped, for
// the next sink is sent the same.
#pragma once

#include <optional>
#include <vector>

#include "broker/ledger.h"
#include "machine/machine.h"
#include "wire/message.h"

namespace broker {

class SinkLink {
 public:
  // `slots` is the number of slots of every batch.
  explicit SinkLink(wire::Slot slots) : slots_(slots) {}

  // Takes a sink in, in place of another if there is one.  Returns false if it is the same sink on
  // the same connection as before.
  bool join(wire::WorkerId id, machine::Peer peer);
  // Forgets the sink: its connection failed.  Requires joined().
  wire::WorkerId leave();

  bool joined() const { return sink_.has_value(); }
  // Whether this connection is the sink's.
  bool is(machine::Peer peer) const { return sink_ && sink_->peer == peer; }

  void send_opened(const Batch& batch, wire::Instant now, machine::Actions& actions) const;
  void send_sealed(const Batch& batch, wire::Instant now, machine::Actions& actions) const;
  void send_settled(const Batch& batch, machine::Actions& actions) const;
  // Sends what the sink's page shows of workers and broker.
  void send_health(std::vector<wire::WorkerStates> workers, wire::Status status,
                   machine::Actions& actions) const;
  // Sends what a sink that has just joined must know of each open batch.
  void send_open_batches(const Ledger& ledger, wire::Instant now, machine::Actions& actions) const;

 private:
  struct Sink {
    wire::WorkerId id;
    machine::Peer peer;
  };
  void send(wire::Message message, machine::Actions& actions) const;

  const wire::Slot slots_;
  std::optional<Sink> sink_;
};

}  // namespace broker
