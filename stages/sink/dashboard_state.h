// State behind the sink's dashboard: the newest batches by slot, recent latencies with and without
// the collage, and statistics of each worker.
//
// The latency with the collage ends when the slot is settled; the latency without it ends with the
// first single answer.  A slot that the collage settled is watched until its single answer comes.
// If its batch becomes the oldest and is dropped first, the single answer counts as never come.
//
// DashboardState is pure and decides nothing.  All of it is bounded: the oldest gives way.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "stages/sink/history.h"
#include "wire/message.h"
#include "wire/types.h"

namespace stages::sink {

class DashboardState {
 public:
  struct Policy {
    std::size_t batch_max = 256;     // Batches watched.
    std::size_t latency_max = 2000;  // Latencies remembered of each kind.
    std::size_t worker_max = 1024;   // Workers remembered.
    std::size_t window = 64;         // Ages remembered of each worker.
    std::size_t answer_max = 6;      // Answers remembered of each worker.
    History::Policy history{};
  };
  struct Slot {
    // closed: the broker has answered the slot without a choice of this sink.
    enum class State : std::uint8_t { waiting, settled, rejected, blank, closed } state{};
    wire::Source source = wire::Source::none;        // Source of the answer that settled the slot.
    wire::Prediction answer;                         // Top prediction of that answer.
    bool heard = false;                              // A single answer has come.
    std::optional<wire::ClassId> single;             // Its class, unless the image was rejected.
    std::optional<wire::Instant> admitted, settled;  // Absent while not known.
  };
  struct Batch {
    wire::BatchId id;
    std::vector<Slot> slots;
    bool sealed = false;
    bool all_settled = false;
  };
  struct Latencies {
    std::deque<wire::Duration> times;  // Oldest first.
    std::uint64_t never = 0;           // Answers that did not come, since the start.
  };
  struct Worker {
    wire::WorkerId id;
    bool collage = false;
    std::uint64_t answers = 0;
    wire::Instant heard;
    std::deque<wire::Duration> ages;  // Ages of its last answers, since admission; oldest first.
    struct Answer {
      wire::Instant at;
      wire::BatchId batch;
      std::optional<wire::Prediction> top;  // Of an s-CNN.
      wire::Duration service{};             // From the arrival of the task to the answer.
    };
    std::deque<Answer> latest;  // Oldest first.
    std::string version;        // The version of its model, as its last answer named it.
  };

  explicit DashboardState(Policy policy) : policy_(policy), history_(policy.history) {}

  void on_opened(const wire::BatchOpened& opened);
  void on_sealed(const wire::BatchSealed& sealed, wire::Instant now);
  void on_batch_settled(wire::BatchId batch);
  // Requires that a single answer is noted before the choice it leads to.
  void on_single(const wire::Answer& answer, wire::Instant now);
  void on_collage(const wire::CollageAnswer& answer, wire::Instant now);
  void on_settled(const wire::SlotSettled& settled, wire::Instant now);

  // Takes the broker's totals, and what time it is, for the history.
  void on_counts(const History::Counts& totals) { history_.on_counts(totals); }
  void advance(wire::Instant now) { history_.advance(now); }

  // Time since the image of a slot was admitted; nullopt while that instant is not known.
  std::optional<wire::Duration> age(wire::BatchId batch, wire::Slot slot, wire::Instant now);

  const std::deque<Batch>& batches() const { return batches_; }  // Oldest first.
  const Latencies& with_collage() const { return with_; }
  const Latencies& without_collage() const { return without_; }
  const std::map<wire::WorkerId, Worker>& workers() const { return workers_; }
  const History& history() const { return history_; }

 private:
  Slot* find(wire::BatchId batch, wire::Slot slot);
  Batch* find(wire::BatchId batch);
  void remember(Latencies& latencies, wire::Duration time);
  void hear(wire::WorkerId id, bool collage, wire::Duration age, Worker::Answer answer,
            const std::string& version);
  void give_up_oldest();

  const Policy policy_;
  std::deque<Batch> batches_;  // In order of their ids.
  Latencies with_, without_;
  std::map<wire::WorkerId, Worker> workers_;
  History history_;
};

}  // namespace stages::sink
