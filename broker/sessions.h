// The producers: who they are, which connection each uses now, which requests each has open, and
// which of these are frames of one stream.
//
// A producer is known by its ProducerId, which outlives connections; its results go to the
// connection that it used last.  A producer that is silent for `silence_max` and has no open
// request is forgotten; with open requests it is kept until they are answered, reachable or not.
//
// Sessions is pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "broker/task.h"
#include "machine/machine.h"
#include "wire/reason.h"
#include "wire/types.h"

namespace broker {

// What is known of a producer by its latest hello.
struct Terms {
  bool corrections = false;  // It asked for corrections.
  std::uint32_t weight = 1;  // The images of its turn in the line (Policy::weights).
};

class Sessions {
 public:
  struct Policy {
    std::size_t producer_max = 0;
    std::size_t credit = 0;  // Open requests a producer may have.
    wire::Duration silence_max{};
  };
  explicit Sessions(Policy policy) : policy_(policy) {}

  // Takes a producer in, or notes its new connection; false at producer_max.
  bool join(wire::ProducerId producer, machine::Peer peer, wire::Instant now, Terms terms = {});
  // The terms of a producer; the defaults if it is unknown.
  Terms terms(wire::ProducerId producer) const;
  // The producer's connection; nullopt if it has none.
  std::optional<machine::Peer> peer_of(wire::ProducerId producer) const;

  // Whether the producer is known, but used another connection than `peer` until now.  Messages on
  // their way over the former connection may be lost.
  bool moved(wire::ProducerId producer, machine::Peer peer) const;

  // The producer of this connection, of which it counts as a sign of life.
  std::optional<wire::ProducerId> at(machine::Peer peer, wire::Instant now);

  // Whether the producer may open this request: none, duplicate_request or no_credit.
  wire::Reason admit(wire::ProducerId producer, wire::RequestId request) const;
  // `latest` is the stream that the request is a frame of; 0: none.
  void open(wire::ProducerId producer, wire::RequestId request, Task task,
            std::uint64_t latest = 0);
  // Notes the new slot of an open request.
  void place(wire::ProducerId producer, wire::RequestId request, Task task);
  // The slot of a request that is open; nullopt if it is not.
  std::optional<Task> find(wire::ProducerId producer, wire::RequestId request) const;
  // The open frames of a stream that are older than this request, the oldest first.  Cost:
  // logarithmic in the open requests of the producer, and linear in the result.
  std::vector<Task> older_frames(wire::ProducerId producer, std::uint64_t latest,
                                 wire::RequestId request) const;
  // Closes a request; returns where its result goes, if the producer is reachable.
  std::optional<machine::Peer> close(wire::ProducerId producer, wire::RequestId request);

  // Notes that a connection is gone; false if no producer used it.
  bool lost(machine::Peer peer);

  void sweep(wire::Instant now);
  std::size_t size() const { return sessions_.size(); }

 private:
  struct Open {
    Task task;
    std::uint64_t latest = 0;
  };
  struct Session {
    std::optional<machine::Peer> peer;
    wire::Instant heard;
    Terms terms;
    std::map<wire::RequestId, Open> open;
    std::set<std::pair<std::uint64_t, wire::RequestId>> frames;  // By stream; those of `open`.
  };
  const Policy policy_;
  std::map<wire::ProducerId, Session> sessions_;
  std::map<machine::Peer, wire::ProducerId> peers_;
};

}  // namespace broker
