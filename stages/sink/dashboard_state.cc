#include "stages/sink/dashboard_state.h"

#include <algorithm>
#include <utility>

namespace stages::sink {

DashboardState::Batch* DashboardState::find(wire::BatchId batch) {
  const auto found = std::ranges::lower_bound(batches_, batch, {}, &Batch::id);
  return found == batches_.end() || found->id != batch ? nullptr : &*found;
}

DashboardState::Slot* DashboardState::find(wire::BatchId batch, wire::Slot slot) {
  Batch* found = find(batch);
  return found && slot < found->slots.size() ? &found->slots[slot] : nullptr;
}

void DashboardState::remember(Latencies& latencies, wire::Duration time) {
  latencies.times.push_back(time);
  if (latencies.times.size() > policy_.latency_max) latencies.times.pop_front();
  history_.on_latency(&latencies == &with_, time);
}

void DashboardState::hear(wire::WorkerId id, bool collage, wire::Duration age,
                          Worker::Answer answer, const std::string& version) {
  if (!workers_.contains(id) && workers_.size() >= policy_.worker_max) {
    workers_.erase(std::ranges::min_element(workers_, {},
                                            [](const auto& entry) { return entry.second.heard; }));
  }
  Worker& worker = workers_[id];
  worker.id = id;
  worker.collage = collage;
  worker.answers += 1;
  worker.heard = answer.at;
  worker.version = version;
  worker.latest.push_back(answer);
  if (worker.latest.size() > policy_.answer_max) worker.latest.pop_front();
  worker.ages.push_back(age);
  if (worker.ages.size() > policy_.window) worker.ages.pop_front();
}

void DashboardState::give_up_oldest() {
  for (const Slot& slot : batches_.front().slots) {
    const bool covered = slot.source == wire::Source::collage;
    if (covered && !slot.heard) without_.never += 1;
  }
  batches_.pop_front();
}

void DashboardState::on_opened(const wire::BatchOpened& opened) {
  if (opened.slots > wire::kSlotsMax || find(opened.batch)) return;
  // The batches of a broker's life before are void.
  if (!batches_.empty() && batches_.back().id.epoch != opened.batch.epoch) batches_.clear();
  if (batches_.size() >= policy_.batch_max) give_up_oldest();
  batches_.insert(std::ranges::lower_bound(batches_, opened.batch, {}, &Batch::id),
                  {opened.batch, std::vector<Slot>(opened.slots), false, false});
}

void DashboardState::on_sealed(const wire::BatchSealed& sealed, wire::Instant now) {
  Batch* batch = find(sealed.batch);
  if (!batch || batch->sealed || sealed.ages.size() > batch->slots.size()) return;
  batch->sealed = true;
  for (std::size_t i = 0; i < batch->slots.size(); ++i) {
    Slot& slot = batch->slots[i];
    if (i < sealed.ages.size()) {
      slot.admitted = now - sealed.ages[i];
    } else {
      slot.state = Slot::State::blank;
    }
  }
}

std::optional<wire::Duration> DashboardState::age(wire::BatchId batch, wire::Slot slot,
                                                  wire::Instant now) {
  const Slot* found = find(batch, slot);
  if (!found || !found->admitted) return std::nullopt;
  return now - *found->admitted;
}

void DashboardState::on_batch_settled(wire::BatchId id) {
  Batch* batch = find(id);
  if (!batch) return;
  batch->all_settled = true;
  for (Slot& slot : batch->slots) {
    if (slot.state == Slot::State::waiting) slot.state = Slot::State::closed;
  }
}

void DashboardState::on_single(const wire::Answer& answer, wire::Instant now) {
  // A rejection takes next to no time, and assemblers send them, too: it says nothing of a worker.
  if (const wire::Predictions& found = answer.verdict.predictions; !found.empty()) {
    hear(answer.worker, false, answer.age, {now, answer.batch, found.front(), answer.service},
         answer.version);
  }
  Slot* slot = find(answer.batch, answer.slot);
  if (!slot) return;
  if (!slot->admitted) slot->admitted = now - answer.age;
  slot->heard = true;
  if (slot->single || answer.verdict.predictions.empty()) return;
  slot->single = answer.verdict.predictions.front().label;
  remember(without_, now - *slot->admitted);
}

void DashboardState::on_collage(const wire::CollageAnswer& answer, wire::Instant now) {
  hear(answer.worker, true, answer.age, {now, answer.batch, std::nullopt, answer.service},
       answer.version);
}

void DashboardState::on_settled(const wire::SlotSettled& settled, wire::Instant now) {
  Slot* slot = find(settled.batch, settled.slot);
  if (!slot || slot->state != Slot::State::waiting) return;
  slot->source = settled.source;
  slot->settled = now;
  if (settled.verdict.reason != wire::Reason::none) {
    slot->state = Slot::State::rejected;
    return;
  }
  slot->state = Slot::State::settled;
  slot->answer = settled.verdict.predictions.front();
  if (slot->admitted) remember(with_, now - *slot->admitted);
}

}  // namespace stages::sink
