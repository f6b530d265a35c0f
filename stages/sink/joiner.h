// Chooses the answer of each slot from its two sources.
//
// A slot may be answered by single CNNs, which saw that image alone, and by the collage-CNN,
// which saw the whole batch as one picture and is a little less accurate.  The joiner prefers
// single answers, but not for ever:
//
//     admitted        patience
//        | single only    | a collage answer will do too
//        +----------------+------------------------------------ ... until settled
//
// A single answer is handed on the moment it comes; no slot waits for another.  A slot is settled
// at most once, and a collage answer below the gate, or for a blank slot, never settles one.
// Patience runs from each slot's own admission, which the sink learns when the broker seals the
// batch; a collage answer that comes before the seal waits for it.  The deadline is the broker's
// business.
//
// A choice may be lost on its way to the broker, so the joiner keeps it until the broker has
// settled the whole batch.
//
// The first late answer of an s-CNN for a slot that was settled from the collage is compared with
// the collage's.  If the classes differ, the joiner reports a disagreement: at most one per slot,
// and only while it remembers the batch.
//
// Answers for a batch that has not been opened yet are orphans.  They are kept until it is opened;
// at orphan_max the oldest gives way.
//
// Joiner is a pure state machine.  Callers pass `now`, which never goes back; at any one instant
// they call on_timeout first, so an answer that ties with a timeout loses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "wire/message.h"
#include "wire/types.h"

namespace stages::sink {

class Joiner {
 public:
  struct Policy {
    std::size_t open_batch_max = 4096;  // Open batches beyond this number are not taken in.
    std::size_t orphan_max = 4096;      // Answers kept for batches that are not open yet.
    float gate = 0;                     // A collage answer less probable than this is not used.
    std::uint64_t classes = 0;          // Number of classes; a label at or above it is not valid.
  };
  struct Counters {
    std::uint64_t single = 0, hedge = 0, collage = 0, rejected = 0;  // Slots settled, by source.
    std::uint64_t late_single = 0;    // Single answers of stragglers: the slot was settled.
    std::uint64_t disagreements = 0;  // Late singles whose class differs from the collage's.
    std::uint64_t spare_collage = 0;  // Collage answers not needed.
    std::uint64_t unsure = 0;         // Collage answers below the gate.
    // Service times of answers that settled nothing: of s-CNNs, and of collages.
    wire::Duration wasted_single{}, wasted_collage{};
    std::uint64_t bad = 0;    // Messages dropped: not valid, or not of their batch's shape.
    std::uint64_t stale = 0;  // Messages dropped: from another broker's life.
    std::uint64_t orphans_dropped = 0;  // Orphans that gave way at orphan_max.
    std::uint64_t batches_refused = 0;  // Batches not taken in: at open_batch_max.
    std::uint64_t batches_expired = 0;  // Batches whose BatchSettled never came.
  };
  // Late single answers that were compared with a collage's, and those that differ from it.
  struct Agreement {
    std::uint64_t compared = 0, disagreements = 0;
  };
  using Settled = std::vector<wire::SlotSettled>;
  // What an s-CNN's answer leads to: a settled slot, a disagreement, or neither.
  struct Single {
    Settled settled;
    std::optional<wire::Disagreement> disagreement;
  };

  // Requires open_batch_max > 0 and classes > 0.
  explicit Joiner(Policy policy);

  // Sets the broker's epoch whose batches count, and the age of a batch's youngest image beyond
  // which its BatchSettled must have been lost.  Another epoch voids all that is held.
  void on_epoch(wire::Epoch epoch, wire::Duration batch_age_max);

  // Applies to collage answers and seals from now on; slots that wait already keep their time.
  void set_patience(wire::Duration patience) { patience_ = patience; }

  // Notes a batch that opened `age` ago; a repeated message changes nothing.  Orphans may settle.
  [[nodiscard]] Settled on_opened(const wire::BatchOpened& opened, wire::Instant now);
  // What has been chosen for the slots of a batch that the broker has not settled as a whole.
  [[nodiscard]] Settled chosen(wire::BatchId batch) const;
  // Slots from ages.size() on are blank; the others were admitted that long ago.
  [[nodiscard]] Settled on_sealed(const wire::BatchSealed& sealed, wire::Instant now);
  // The broker has answered every slot, from this sink's choice or without it.  The batch is kept
  // for a while: late answers may disagree with the collage's.
  void on_batch_settled(wire::BatchId batch);

  // Answers come from the network: what fits no open slot is counted and dropped.
  [[nodiscard]] Single on_single(wire::Answer answer);
  [[nodiscard]] Settled on_collage(wire::CollageAnswer answer, wire::Instant now);

  // Settles what patience no longer holds back, in order of time, batch and slot.
  [[nodiscard]] Settled on_timeout(wire::Instant now);
  std::optional<wire::Instant> next_timeout() const;

  const Counters& counters() const { return counters_; }
  // By version of the collage model: the first kVersionsMax, and "other".
  const std::map<std::string, Agreement>& agreements() const { return agreements_; }
  std::size_t open_batches() const { return batches_.size() - settled_.size(); }
  std::size_t orphans() const { return orphans_.size(); }

 private:
  struct Batch {
    std::vector<bool> settled;  // One flag per slot.
    Settled chosen;             // Until the broker has settled the batch.
    // For each slot that the collage settled, its class, until an s-CNN has answered too.
    std::vector<std::optional<wire::ClassId>> collage_labels;
    bool all_settled = false;  // As the broker sees it (BatchSettled).
    bool sealed = false;
    bool collage_only = false;            // No single answer is to be waited for.
    wire::Instant expiry;                 // Its key in expiries_.
    std::vector<wire::Instant> admitted;  // One instant per filled slot; empty until sealed.
    std::optional<wire::CollageAnswer> collage;
    bool collage_used = false;    // It has settled a slot.
    std::string collage_version;  // If so: of its model.
  };
  struct BySequence {
    std::size_t operator()(const wire::BatchId& id) const { return id.sequence.value; }
  };
  using Orphan = std::variant<wire::Answer, wire::CollageAnswer>;
  using Key = std::tuple<wire::Instant, wire::BatchId, wire::Slot>;

  static constexpr std::size_t kPastEpochsMax = 8;
  static constexpr std::size_t kVersionsMax = 16;

  // Whether this epoch came before the present one.  An epoch never seen may be that of a new
  // broker, which the stages joined before this sink did: its answers are orphans, not stale.
  bool past(wire::Epoch epoch) const;
  Batch* find(wire::BatchId batch);
  void keep_orphan(Orphan orphan);
  void adopt(wire::BatchId batch, wire::Instant now, Settled& out);
  void choose(Batch& batch, wire::SlotSettled settled, Settled& out);
  void expire_at(wire::BatchId id, Batch& batch, wire::Instant expiry);
  // Settles slots from the collage or sets their timers, once both it and the seal are there.
  void apply_collage(wire::BatchId id, Batch& batch, wire::Instant now, Settled& out);
  // Compares a late single answer with the collage's for the same slot.
  std::optional<wire::Disagreement> compare(Batch& batch, wire::Answer answer);
  void settle_from_collage(wire::BatchId id, Batch& batch, wire::Slot slot, Settled& out);

  const Policy policy_;
  std::optional<wire::Epoch> epoch_;
  std::deque<wire::Epoch> past_;  // Former epochs, oldest first.
  // Open ones, and settled ones for their late answers.  They are looked up for each answer, and
  // never gone through.
  std::unordered_map<wire::BatchId, Batch, BySequence> batches_;
  std::deque<wire::BatchId> settled_;  // Settled batches still kept, oldest first.
  std::deque<Orphan> orphans_;
  std::set<std::pair<wire::Instant, wire::BatchId>> expiries_;  // One of each open batch.
  std::set<Key> timers_;
  wire::Duration patience_{};
  wire::Duration batch_age_max_{};
  Counters counters_;
  std::map<std::string, Agreement> agreements_;
};

}  // namespace stages::sink
