// Chooses the answer of each slot from its two sources.
//
// A slot may be answered by single CNNs, which saw that image alone, and by the collage-CNN,
// which saw the whole batch as one picture and is a little less accurate.  The joiner prefers
// single answers, but not for ever:
//
//     admitted        patience
//        | single only    | a collage answer will do too
//        +----------------+------------------------------------ ... until settled or closed
//
// A single answer is handed on the moment it comes; no slot waits for another.  A slot is settled
// at most once, and a collage answer below the gate, or for a blank slot, never settles one.
// Patience runs from each slot's own admission, which the broker tells when it seals the batch;
// a collage answer that comes before that waits for it.  The deadline is the broker's business.
//
// The first late answer of an s-CNN to a slot that was settled from the collage has a say: it
// agrees, or the joiner says once that it does not, for as long as it remembers the batch.
//
// Answers for a batch not told of yet are orphans: kept, the oldest giving way, until it is.
//
// Joiner is a pure state machine.  Callers pass `now`, which never goes back; at any one instant
// they call on_timeout first, so an answer that ties with a timeout loses.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "wire/message.h"
#include "wire/types.h"

namespace stages::sink {

class Joiner {
 public:
  struct Policy {
    std::size_t open_batch_max = 4096;  // At the bound, further batches are not taken in.
    std::size_t orphan_max = 4096;      // Answers kept for batches not yet announced.
    float gate = 0;                     // Collage answers of a lower probability are ignored.
    std::uint64_t classes = 0;          // Classes of the model; other labels are invalid.
  };
  struct Counters {
    std::uint64_t single = 0, hedge = 0, collage = 0, rejected = 0;  // Slots settled, by source.
    std::uint64_t late_single = 0;    // Stragglers: their slot had been answered without them.
    std::uint64_t corrections = 0;    // Of these, that contradict the collage that answered it.
    std::uint64_t spare_collage = 0;  // Collage answers not needed.
    std::uint64_t unsure = 0;         // Collage answers below the gate.
    std::uint64_t bad = 0;            // Dropped: nonsense, or not of their batch's shape.
    std::uint64_t stale = 0;          // Dropped: of another broker's life.
    std::uint64_t orphans_dropped = 0;
    std::uint64_t batches_refused = 0;  // At open_batch_max.
    std::uint64_t batches_expired = 0;  // Their Closed never came.
  };
  using Settled = std::vector<wire::SlotSettled>;
  // What an s-CNN's answer leads to: one of the two, or neither.
  struct Single {
    Settled settled;
    std::optional<wire::Disagreement> corrected;
  };

  // Requires open_batch_max > 0 and classes > 0.
  explicit Joiner(Policy policy);

  // The broker's life whose batches count, and how long one may stay open after which its Closed
  // must have been lost.  Another life voids all that is held.
  void on_epoch(wire::Epoch epoch, wire::Duration batch_age_max);

  // For collage answers and seals from now on; slots that wait already keep their time.
  void set_patience(wire::Duration patience) { patience_ = patience; }

  // Notes a batch that opened `age` ago; telling it twice changes nothing.  Orphans may settle.
  [[nodiscard]] Settled on_opened(const wire::BatchOpened& opened, wire::Instant now);
  // Slots from ages.size() on are blank; the others were admitted that long ago.
  [[nodiscard]] Settled on_sealed(const wire::BatchSealed& sealed, wire::Instant now);
  // Every slot is settled, or its deadline is over.
  void on_closed(wire::BatchId batch);

  // Answers come from the network: what fits no open slot is counted and dropped.
  [[nodiscard]] Single on_single(wire::Answer answer);
  [[nodiscard]] Settled on_collage(wire::CollageAnswer answer, wire::Instant now);

  // Settles what patience no longer holds back, in order of time, batch and slot.
  [[nodiscard]] Settled on_timeout(wire::Instant now);
  std::optional<wire::Instant> next_timeout() const;

  const Counters& counters() const { return counters_; }
  std::size_t open_batches() const { return batches_.size() - closed_.size(); }
  std::size_t orphans() const { return orphans_.size(); }

 private:
  struct Batch {
    std::vector<bool> settled;  // A flag a slot.
    // What the collage said of a slot that it settled, until an s-CNN has had its say; a slot each.
    std::vector<std::optional<wire::ClassId>> told;
    bool closed = false;
    bool sealed = false;
    std::vector<wire::Instant> admitted;  // Of the filled slots, once sealed.
    std::optional<wire::CollageAnswer> collage;
  };
  using Orphan = std::variant<wire::Answer, wire::CollageAnswer>;
  using Key = std::tuple<wire::Instant, wire::BatchId, wire::Slot>;

  static constexpr std::size_t kPastEpochsMax = 8;

  // Whether this was the broker's epoch before.  One never heard of may be a new broker's, which
  // the stages joined before we did: its answers are orphans, not stale.
  bool past(wire::Epoch epoch) const;
  Batch* find(wire::BatchId batch);
  void keep_orphan(Orphan orphan);
  void adopt(wire::BatchId batch, wire::Instant now, Settled& out);
  // Settles from the collage or sets timers, once both it and the seal are there.
  void weigh(wire::BatchId id, Batch& batch, wire::Instant now, Settled& out);
  std::optional<wire::Disagreement> correct(Batch& batch, wire::Answer answer);
  void settle_from_collage(wire::BatchId id, Batch& batch, wire::Slot slot, Settled& out);

  const Policy policy_;
  std::optional<wire::Epoch> epoch_;
  std::deque<wire::Epoch> past_;            // The epochs before, the oldest first.
  std::map<wire::BatchId, Batch> batches_;  // Closed ones stay a while, to know late answers.
  std::deque<wire::BatchId> closed_;        // The oldest first.
  std::deque<Orphan> orphans_;
  std::deque<std::pair<wire::Instant, wire::BatchId>> expiries_;  // In order of opening.
  std::set<Key> timers_;
  wire::Duration patience_{};
  wire::Duration batch_age_max_{};
  Counters counters_;
};

}  // namespace stages::sink
