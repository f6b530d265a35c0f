// The assembler: makes one picture of a batch while its images arrive.
//
//   link kBroker  (DEALER)  WorkerHello, Ready  ->  broker;   Welcome, Refuse, Assign, Seal, Drop
//   <- link kCollage (ROUTER)  Welcome, CollageTask, Drop  ->  collage-CNN;  WorkerHello, Ready <-
//   link kSink    (DEALER)  Answer (rejected images only)  ->  sink
//
//     Assign Assign ....... Assign Seal
//       paste   paste         paste -> picture complete -> CollageTask
//
// Each image is decoded at the size of a tile and pasted as it arrives, so that when the last one
// comes only one decode stands between it and the finished collage.  A slot that is blank,
// rejected or never came is black, and the collage-CNN is told so.  It joins the broker only
// while its collage-CNN is there: a collage nobody looks at covers nothing.
//
// Pasting is Work (machine::Paste); the picture is handed over and comes back, never copied.
// Assembler is a pure state machine; see wire/machine.h.  Open batches are bounded by the credit
// granted (hello.capacity); a broker that sends more is counted.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "machine/machine.h"
#include "stages/membership.h"

namespace stages::collage {

class Assembler : public machine::Machine {
 public:
  static constexpr std::uint32_t kBroker = 0;
  static constexpr std::uint32_t kCollage = 1;
  static constexpr std::uint32_t kSink = 2;

  struct Policy {
    Membership::Policy membership;
    wire::Duration heartbeat{};  // Asked of the collage-CNN; 3 missed are too many.
  };
  // hello.role is assembler; its model is what the collage-CNN must serve.  `own` is this
  // assembler's epoch, drawn afresh for every life.
  Assembler(wire::WorkerHello hello, wire::Epoch own, Policy policy);

  machine::Actions on_message(machine::Peer from, wire::Message message,
                              wire::Instant now) override;
  machine::Actions on_timeout(wire::Instant now) override;
  machine::Actions on_done(wire::WorkId work, machine::Outcome outcome, wire::Instant now) override;
  std::optional<wire::Instant> next_timeout() const override;
  machine::Telemetry telemetry() const override;
  // The model's, in hellos and reports from now on; what answers stands in each outcome.
  void set_version(std::string version) { membership_.set_version(std::move(version)); }

  struct Counters {
    std::uint64_t collages = 0;     // Sent to the collage-CNN.
    std::uint64_t rejected = 0;     // Images that could not be pasted.
    std::uint64_t dropped = 0;      // Batches answered before their collage was needed.
    std::uint64_t late = 0;         // Dropped: images of a batch sealed or dropped.
    std::uint64_t repeated = 0;     // Dropped: came twice, or from a broker not joined.
    std::uint64_t over_credit = 0;  // Dropped: more batches than were granted.
    std::uint64_t lost = 0;         // Batches that went with a lost collage-CNN.
    std::uint64_t expired = 0;      // Batches whose deadline passed unheard.
    std::uint64_t refused = 0;      // Collage-CNNs of another model or grid.
    std::uint64_t undelivered = 0;
    std::uint64_t bad_messages = 0;
  };
  const Counters& counters() const { return counters_; }

 private:
  struct Assembly {
    wire::Sequence sequence;
    wire::Instant opened;       // By our clock, less the age the broker told.
    wire::Payload canvas;       // Away while a paste into it is under way.
    std::vector<bool> arrived;  // A flag a slot.
    std::vector<bool> blank;    // A flag a slot: not pasted.
    std::size_t to_paste = 0;   // Arrived and not yet pasted or rejected.
    bool sealed = false;
  };
  struct Waiting {
    wire::BatchId batch;
    wire::Slot slot;
    wire::Payload image;
    wire::Instant admitted;
  };
  struct Node {  // The collage-CNN.
    machine::Peer peer;
    wire::WorkerId id;
    std::uint32_t capacity = 0;
    wire::Instant heard;
    struct Sent {
      wire::Sequence sequence;  // Ours, to it.
      wire::Sequence broker;    // The broker's, to us.
      wire::BatchId batch;
      wire::Instant opened;
    };
    std::deque<Sent> sent;
  };
  struct Finished {
    wire::BatchId batch;
    Assembly assembly;
  };

  void on_broker(wire::Message message, wire::Instant now);
  void on_node(machine::Peer from, wire::Message message, wire::Instant now);
  void take(wire::Assign assign, wire::Instant now);
  void on_seal(wire::BatchId batch);
  // Gives up a batch that is not with the collage-CNN yet; counts it.
  void discard(wire::BatchId batch, std::uint64_t& counter);
  void on_hello(machine::Peer from, const wire::WorkerHello& hello, wire::Instant now);
  void on_ready(machine::Peer from, const wire::Ready& ready, wire::Instant now);
  void lose_node();
  void start_paste();
  void complete(wire::BatchId batch);
  void hand_out(wire::Instant now);
  void release(wire::Sequence broker_sequence, wire::BatchId batch);
  void cover(bool able);
  // Forgets every batch: they were another broker's.
  void forget();
  // Forgets batches that no answer can reach any more: their Seal or Drop was lost.
  void expire(wire::Instant now);

  const std::size_t slots_;
  const wire::Epoch own_;
  const Policy policy_;
  Membership membership_;
  std::map<wire::BatchId, Assembly> assemblies_;
  std::deque<Waiting> waiting_;     // To be pasted, in order of arrival.
  std::optional<Waiting> pasting_;  // Under way.
  std::deque<Finished> finished_;   // Waiting for the collage-CNN.
  std::optional<Node> node_;
  wire::Duration deadline_max_{};  // As the broker told.
  wire::Sequence sequence_;
  wire::WorkId work_;
  bool draining_ = false;
  Counters counters_;
  machine::Histogram assembly_;  // A batch's first image to its collage handed out.
  machine::Actions actions_;     // Of the turn under way.
};

}  // namespace stages::collage
