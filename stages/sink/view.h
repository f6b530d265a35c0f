// What an onlooker of the sink is shown: the newest batches slot by slot, how long answers took of
// late, with the collage's help and without it, and who gave them.
//
// With its help an image has taken as long as until its slot was settled; without it, as long as
// until the first answer for it alone.  A slot that the collage settled is watched on until that
// comes, or its batch is one of the oldest watched: then it never came.
//
// View is pure and decides nothing.  Everything in it is bounded: the oldest gives way.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "wire/message.h"
#include "wire/types.h"

namespace stages::sink {

class View {
 public:
  struct Policy {
    std::size_t batch_max = 256;     // Watched.
    std::size_t latency_max = 2000;  // Remembered of each kind.
    std::size_t worker_max = 1024;
    std::size_t window = 64;  // Ages remembered a worker.
  };
  struct Slot {
    // closed: the broker has answered it without us.
    enum class State : std::uint8_t { waiting, settled, rejected, blank, closed } state{};
    wire::Source source = wire::Source::none;        // That settled it.
    wire::Prediction answer;                         // That it was settled with.
    bool heard = false;                              // An answer for the image alone has come,
    std::optional<wire::ClassId> single;             // and what it said, if it was not rejected.
    std::optional<wire::Instant> admitted, settled;  // As far as told.
  };
  struct Batch {
    wire::BatchId id;
    std::vector<Slot> slots;
    bool sealed = false;
    bool closed = false;
  };
  struct Latencies {
    std::deque<wire::Duration> times;  // The oldest first.
    std::uint64_t never = 0;           // Since the start: answers that did not come.
  };
  struct Worker {
    wire::WorkerId id;
    bool collage = false;
    std::uint64_t answers = 0;
    wire::Instant heard;
    std::deque<wire::Duration> ages;  // Of its last answers, since admission; the oldest first.
  };

  explicit View(Policy policy) : policy_(policy) {}

  void on_opened(const wire::BatchOpened& opened);
  void on_sealed(const wire::BatchSealed& sealed, wire::Instant now);
  void on_closed(wire::BatchId batch);
  // Before what it settles.
  void on_single(const wire::Answer& answer, wire::Instant now);
  void on_collage(const wire::CollageAnswer& answer, wire::Instant now);
  void on_settled(const wire::SlotSettled& settled, wire::Instant now);

  // Since the image of a slot was admitted, as far as told.
  std::optional<wire::Duration> age(wire::BatchId batch, wire::Slot slot, wire::Instant now);

  const std::deque<Batch>& batches() const { return batches_; }  // The oldest first.
  const Latencies& with_collage() const { return with_; }
  const Latencies& without_collage() const { return without_; }
  const std::map<wire::WorkerId, Worker>& workers() const { return workers_; }

 private:
  Slot* find(wire::BatchId batch, wire::Slot slot);
  Batch* find(wire::BatchId batch);
  void remember(Latencies& latencies, wire::Duration time);
  void hear(wire::WorkerId id, bool collage, wire::Duration age, wire::Instant now);
  void give_up_oldest();

  const Policy policy_;
  std::deque<Batch> batches_;  // In order of their ids.
  Latencies with_, without_;
  std::map<wire::WorkerId, Worker> workers_;
};

}  // namespace stages::sink
