#include "stages/sink/joiner.h"

#include <algorithm>
#include <utility>

#include "machine/earliest.h"
#include "wire/check.h"

namespace stages::sink {

using wire::Reason;
using wire::Source;

namespace {

// The broker would drop an answer that is not valid, and the slot, settled here, would be missing.
bool valid(const wire::Predictions& predictions, std::uint64_t classes) {
  return !predictions.empty() && std::ranges::all_of(predictions, [&](const wire::Prediction& p) {
    return p.label.value < classes && p.probability >= 0 && p.probability <= 1;  // False for NaN.
  });
}

}  // namespace

Joiner::Joiner(Policy policy) : policy_(policy) {
  COLLAGE_CHECK(policy.open_batch_max > 0 && policy.classes > 0);
}

void Joiner::on_epoch(wire::Epoch epoch, wire::Duration batch_age_max) {
  batch_age_max_ = batch_age_max;
  if (epoch_ == epoch) return;
  if (epoch_) past_.push_back(*epoch_);
  if (past_.size() > kPastEpochsMax) past_.pop_front();
  epoch_ = epoch;
  batches_.clear();
  settled_.clear();
  expiries_.clear();
  timers_.clear();
  std::erase_if(orphans_, [epoch](const Orphan& orphan) {
    return std::visit([epoch](const auto& answer) { return answer.batch.epoch != epoch; }, orphan);
  });
}

bool Joiner::past(wire::Epoch epoch) const {
  return std::find(past_.begin(), past_.end(), epoch) != past_.end();
}

Joiner::Batch* Joiner::find(wire::BatchId batch) {
  const auto found = batches_.find(batch);
  return found == batches_.end() ? nullptr : &found->second;
}

// --- from the broker ---

Joiner::Settled Joiner::on_opened(const wire::BatchOpened& opened, wire::Instant now) {
  Settled out;
  // Before the broker's Welcome no epoch is the right one.  A batch taken in now would be voided by
  // the Welcome, and the broker sends its open batches again after it.
  if (opened.batch.epoch != epoch_) {
    counters_.stale += 1;
  } else if (opened.slots == 0 || opened.slots > wire::kSlotsMax) {
    counters_.bad += 1;
  } else if (!find(opened.batch)) {
    if (open_batches() >= policy_.open_batch_max) {
      counters_.batches_refused += 1;
    } else {
      Batch& batch = batches_[opened.batch];
      batch.settled.assign(opened.slots, false);
      batch.chosen.reserve(opened.slots);
      batch.collage_labels.resize(opened.slots);
      expire_at(opened.batch, batch, now - opened.age + batch_age_max_);
      adopt(opened.batch, now, out);
    }
  }
  return out;
}

Joiner::Settled Joiner::chosen(wire::BatchId id) const {
  const auto found = batches_.find(id);
  return found == batches_.end() ? Settled{} : found->second.chosen;
}

Joiner::Settled Joiner::on_sealed(const wire::BatchSealed& sealed, wire::Instant now) {
  Settled out;
  Batch* batch = find(sealed.batch);
  if (!batch || batch->all_settled || batch->sealed) return out;
  if (sealed.ages.size() > batch->settled.size()) {
    counters_.bad += 1;
    return out;
  }
  batch->sealed = true;
  batch->collage_only = sealed.collage_only;
  for (const wire::Duration age : sealed.ages) batch->admitted.push_back(now - age);
  // The youngest image came while the batch lingered, and has a whole deadline from then on.
  if (const auto youngest = std::ranges::max_element(batch->admitted);
      youngest != batch->admitted.end()) {
    expire_at(sealed.batch, *batch, std::max(batch->expiry, *youngest + batch_age_max_));
  }
  apply_collage(sealed.batch, *batch, now, out);
  return out;
}

void Joiner::expire_at(wire::BatchId id, Batch& batch, wire::Instant expiry) {
  expiries_.erase({batch.expiry, id});
  batch.expiry = expiry;
  expiries_.emplace(expiry, id);
}

void Joiner::on_batch_settled(wire::BatchId id) {
  Batch* batch = find(id);
  if (!batch || batch->all_settled) return;
  batch->all_settled = true;
  expiries_.erase({batch->expiry, id});
  batch->settled.assign(batch->settled.size(), true);
  batch->chosen.clear();
  if (batch->collage && !batch->collage_used) counters_.wasted_collage += batch->collage->service;
  batch->collage.reset();
  settled_.push_back(id);
  if (settled_.size() > policy_.open_batch_max) {
    batches_.erase(settled_.front());
    settled_.pop_front();
  }
}

// --- from the stages ---

void Joiner::keep_orphan(Orphan orphan) {
  orphans_.push_back(std::move(orphan));
  if (orphans_.size() <= policy_.orphan_max) return;
  orphans_.pop_front();
  counters_.orphans_dropped += 1;
}

void Joiner::adopt(wire::BatchId batch, wire::Instant now, Settled& out) {
  const auto ours =
      std::stable_partition(orphans_.begin(), orphans_.end(), [batch](const Orphan& orphan) {
        return std::visit([batch](const auto& a) { return a.batch != batch; }, orphan);
      });
  std::vector<Orphan> adopted(std::make_move_iterator(ours),
                              std::make_move_iterator(orphans_.end()));
  orphans_.erase(ours, orphans_.end());
  const auto take = [&](Settled more) {
    out.insert(out.end(), std::make_move_iterator(more.begin()),
               std::make_move_iterator(more.end()));
  };
  for (Orphan& orphan : adopted) {
    if (auto* single = std::get_if<wire::Answer>(&orphan)) {
      // It cannot disagree with the collage: a batch that opens just now has not been sealed, and a
      // collage settles nothing before the seal.
      take(on_single(std::move(*single)).settled);
    } else {
      take(on_collage(std::move(std::get<wire::CollageAnswer>(orphan)), now));
    }
  }
}

Joiner::Single Joiner::on_single(wire::Answer answer) {
  Single out;
  if (past(answer.batch.epoch)) {
    counters_.stale += 1;
    return out;
  }
  Batch* batch = find(answer.batch);
  if (!batch) {
    keep_orphan(std::move(answer));
    return out;
  }
  const bool rejected = answer.verdict.reason != Reason::none;
  if (answer.slot >= batch->settled.size() ||
      (!rejected && !valid(answer.verdict.predictions, policy_.classes))) {
    counters_.bad += 1;
  } else if (batch->settled[answer.slot]) {
    counters_.late_single += rejected ? 0 : 1;
    counters_.wasted_single += answer.service;
    if (!rejected) out.disagreement = compare(*batch, std::move(answer));
  } else {
    batch->settled[answer.slot] = true;
    (rejected ? counters_.rejected : answer.hedge ? counters_.hedge : counters_.single) += 1;
    choose(*batch,
           {answer.batch, answer.slot, answer.hedge ? Source::hedge : Source::single,
            std::move(answer.verdict), std::move(answer.version)},
           out.settled);
  }
  return out;
}

void Joiner::choose(Batch& batch, wire::SlotSettled settled, Settled& out) {
  batch.chosen.push_back(settled);
  out.push_back(std::move(settled));
}

std::optional<wire::Disagreement> Joiner::compare(Batch& batch, wire::Answer answer) {
  const auto sent = std::exchange(batch.collage_labels[answer.slot], std::nullopt);
  if (!sent) return std::nullopt;
  const bool fits =
      agreements_.contains(batch.collage_version) || agreements_.size() < kVersionsMax;
  Agreement& agreement = agreements_[fits ? batch.collage_version : "other"];
  agreement.compared += 1;
  if (*sent == answer.verdict.predictions.front().label) return std::nullopt;
  agreement.disagreements += 1;
  counters_.disagreements += 1;
  return wire::Disagreement{answer.batch, answer.slot,
                            answer.hedge ? Source::hedge : Source::single,
                            std::move(answer.verdict.predictions), std::move(answer.version)};
}

Joiner::Settled Joiner::on_collage(wire::CollageAnswer answer, wire::Instant now) {
  Settled out;
  if (past(answer.batch.epoch)) {
    counters_.stale += 1;
    return out;
  }
  Batch* batch = find(answer.batch);
  if (!batch) {
    keep_orphan(std::move(answer));
  } else if (answer.cells.size() != batch->settled.size()) {
    counters_.bad += 1;
  } else if (batch->all_settled || batch->collage) {
    counters_.spare_collage += 1;
    counters_.wasted_collage += answer.service;
  } else {
    const wire::BatchId id = answer.batch;
    batch->collage = std::move(answer);
    apply_collage(id, *batch, now, out);
  }
  return out;
}

void Joiner::apply_collage(wire::BatchId id, Batch& batch, wire::Instant now, Settled& out) {
  if (!batch.sealed || !batch.collage) return;
  for (wire::Slot slot = 0; slot < batch.admitted.size(); ++slot) {
    const wire::Predictions& cell = batch.collage->cells[slot];
    if (batch.settled[slot]) {
      counters_.spare_collage += 1;
    } else if (cell.empty()) {
      continue;  // The collage-CNN had no answer for this slot.
    } else if (!valid(cell, policy_.classes)) {
      counters_.bad += 1;
    } else if (cell.front().probability < policy_.gate) {
      counters_.unsure += 1;
    } else {
      const wire::Instant due = batch.admitted[slot] + patience_;
      if (due <= now || batch.collage_only) {
        settle_from_collage(id, batch, slot, out);
      } else {
        timers_.emplace(due, id, slot);
      }
    }
  }
}

void Joiner::settle_from_collage(wire::BatchId id, Batch& batch, wire::Slot slot, Settled& out) {
  batch.settled[slot] = true;
  batch.collage_used = true;
  batch.collage_version = batch.collage->version;
  batch.collage_labels[slot] = batch.collage->cells[slot].front().label;
  counters_.collage += 1;
  choose(
      batch,
      {id, slot, Source::collage,
       wire::Verdict{std::move(batch.collage->cells[slot]), Reason::none}, batch.collage->version},
      out);
}

// --- time ---

Joiner::Settled Joiner::on_timeout(wire::Instant now) {
  Settled out;
  while (!timers_.empty() && std::get<0>(*timers_.begin()) <= now) {
    const auto [due, id, slot] = *timers_.begin();
    timers_.erase(timers_.begin());
    Batch* batch = find(id);
    if (!batch || batch->settled[slot]) {
      counters_.spare_collage += 1;
      continue;
    }
    settle_from_collage(id, *batch, slot, out);
  }
  while (!expiries_.empty() && expiries_.begin()->first <= now) {
    counters_.batches_expired += 1;
    on_batch_settled(expiries_.begin()->second);
  }
  return out;
}

std::optional<wire::Instant> Joiner::next_timeout() const {
  std::optional<wire::Instant> settling, expiry;
  if (!timers_.empty()) settling = std::get<0>(*timers_.begin());
  if (!expiries_.empty()) expiry = expiries_.begin()->first;
  return machine::earliest({settling, expiry});
}

}  // namespace stages::sink
