// The assembler: makes one picture of a batch while its images arrive.
//
//   link kBroker  (DEALER)  to the broker         WorkerHello, Ready
//                           from the broker       Welcome, Refuse, Assign, SealCollage,
//                                                 DropCollage, Redirect
//   link kCollage (ROUTER)  to the collage-CNN    Welcome, Refuse, CollageTask, DropCollage,
//                                                 Redirect
//                           from the collage-CNN  WorkerHello, Ready
//   links kSink + i (DEALER) to sink i            Answer (rejected images only), CollagePicture
//
//     Assign Assign ....... Assign SealCollage
//       paste   paste         paste -> picture complete -> CollageTask
//
// Each image is decoded at the size of a tile and pasted as it arrives, so that when the last one
// comes only one decode stands between it and the finished collage.  A slot that is blank,
// rejected or never came is black, and the CollageTask marks it as blank.  A batch is given up when
// the deadlines of all its images are over.  The assembler joins the broker only while its
// collage-CNN is joined: a collage that is not classified covers nothing.
//
// Pasting is Work (machine::Paste); the picture is handed over and comes back, never copied.
// Assembler is a pure state machine (machine/machine.h).  Open batches are bounded by the credit
// granted (hello.capacity); images of further batches are dropped and counted.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "machine/machine.h"
#include "stages/collage/showing.h"
#include "stages/membership.h"

namespace stages::collage {

class Assembler : public machine::Machine {
 public:
  static constexpr std::uint32_t kBroker = 0;
  static constexpr std::uint32_t kCollage = 1;
  static constexpr std::uint32_t kSink = 2;

  struct Policy {
    Membership::Policy membership;
    wire::Duration heartbeat{};  // The heartbeat that the collage-CNN must keep.
    // The form of the collages that people are shown; nullopt: they are shown none.
    std::optional<PictureForm> shown{};
    std::size_t sinks = 1;  // The number of sinks that the assembler is connected to.
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
  // Names the model's version in hellos and reports from now on.
  void set_version(std::string version) { membership_.set_version(std::move(version)); }

  struct Counters {
    std::uint64_t collages = 0;     // Collages sent to the collage-CNN.
    std::uint64_t rejected = 0;     // Images that could not be pasted.
    std::uint64_t failed = 0;       // Images that were not pasted for lack of memory.
    std::uint64_t dropped = 0;      // Batches answered before their collage was needed.
    std::uint64_t late = 0;         // Images dropped: their batch was sealed or dropped.
    std::uint64_t repeated = 0;     // Images dropped: came twice, or from a broker not joined.
    std::uint64_t over_credit = 0;  // Images dropped: of more batches than were granted.
    std::uint64_t lost = 0;         // Batches that were with a collage-CNN that was lost.
    std::uint64_t expired = 0;      // Batches whose time was over before they were classified.
    std::uint64_t refused = 0;      // Hellos of collage-CNNs of another model or grid.
    std::uint64_t undelivered = 0;  // Messages that could not be sent.
    std::uint64_t bad_messages = 0;
  };
  const Counters& counters() const { return counters_; }

 private:
  struct Assembly {
    wire::Sequence sequence;
    wire::Instant opened;       // By this process's clock, from the age in the first Assign.
    wire::Instant deadline;     // The last of its images so far, by this process's clock.
    wire::Payload canvas;       // Empty while a paste into it is under way.
    std::vector<bool> arrived;  // For each slot: its image has arrived.
    std::vector<bool> blank;    // For each slot: nothing has been pasted into it.
    std::size_t to_paste = 0;   // Images arrived and not yet pasted or rejected.
    bool sealed = false;
    wire::SinkIndex sink = 0;  // Who joins the answers of the batch.
  };
  struct Waiting {
    wire::BatchId batch;
    wire::Sequence sequence;  // Of the assembly: a batch that was given up may come again.
    wire::Slot slot;
    wire::Payload image;
    wire::Instant admitted;
  };
  struct CollageCnn {
    machine::Peer peer;
    wire::WorkerId id;
    std::uint32_t capacity = 0;
    wire::Instant heard;
    bool spared = false;  // Not taken for silent once since, because we had paused.
    struct Sent {
      wire::Sequence sequence;  // The assembler's, of the CollageTask.
      wire::Sequence broker;    // The broker's, of the batch's Assigns.
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
  void on_collage_cnn(machine::Peer from, wire::Message message, wire::Instant now);
  void take(wire::Assign assign, wire::Instant now);
  // The assembly of the batch, a new one if it is unknown; nullptr (counted) if it is not taken in.
  Assembly* find_or_open(const wire::Assign& assign, wire::Instant now);
  void on_seal(wire::BatchId batch);
  void on_redirect(const wire::Redirect& redirect);
  // Gives up a batch that is not with the collage-CNN yet; counts it.
  void discard(wire::BatchId batch, std::uint64_t& counter);
  void on_hello(machine::Peer from, const wire::WorkerHello& hello, wire::Instant now);
  void on_ready(machine::Peer from, const wire::Ready& ready, wire::Instant now);
  void heard_cnn(wire::Instant now);
  void on_collage_cnn_lost();
  // When an idle collage-CNN counts as silent.
  std::optional<wire::Instant> silent_at() const;
  void start_paste(wire::Instant now);
  void complete(wire::BatchId batch);
  void hand_out(wire::Instant now);
  // Gives the credit of a batch back to the broker.
  void release(wire::Sequence broker_sequence, wire::BatchId batch);
  // Takes batches from the broker only while the collage-CNN can classify them.
  void set_able(bool able);
  // Forgets every batch: the broker's epoch has changed.
  void forget();
  // Gives up the batches whose time is over before any work on them is begun.
  void expire(wire::Instant now);
  // Forgets what the collage-CNN has had for longer than the longest deadline: its Ready was lost.
  void forget_sent(wire::Instant now);
  machine::Actions end_turn(wire::Instant now);

  const std::size_t slots_;
  const wire::Epoch own_;
  const Policy policy_;
  Membership membership_;
  std::map<wire::BatchId, Assembly> assemblies_;
  std::deque<Waiting> waiting_;     // Images to be pasted, in order of arrival.
  std::optional<Waiting> pasting_;  // The image whose paste is under way.
  std::deque<Finished> finished_;   // Collages that wait for the collage-CNN.
  std::optional<CollageCnn> cnn_;   // Set while it is joined.
  wire::Duration deadline_max_{};   // From the broker's Welcome.
  wire::Sequence sequence_;
  wire::WorkId work_;
  bool draining_ = false;
  Showing showing_;
  Counters counters_;
  machine::Histogram assembly_;  // From a batch's first image until its collage is sent.
  machine::Actions actions_;     // What the turn under way has asked for so far.
};

}  // namespace stages::collage
