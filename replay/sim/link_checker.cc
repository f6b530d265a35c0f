#include "replay/sim/link_checker.h"

#include <algorithm>

namespace replay::sim {
namespace {

std::string name(wire::BatchId batch, wire::Slot slot) {
  return "batch " + std::to_string(batch.sequence.value) + " slot " + std::to_string(slot);
}

std::vector<wire::NamedPrediction> without_names(const wire::Predictions& predictions) {
  std::vector<wire::NamedPrediction> out;
  for (const wire::Prediction& prediction : predictions) out.push_back({{}, prediction});
  return out;
}

}  // namespace

LinkChecker::LinkChecker(const TrialOptions& options, Violations& violations)
    : options_(options), violations_(violations) {}

void LinkChecker::on_assign(const wire::Assign& assign, wire::Instant now) {
  const std::uint64_t token = token_of(assign.image);
  std::optional<std::uint64_t>& known = batches_[assign.batch].slots[assign.slot].token;
  if (known && *known != token) violations_.add("one slot is given two images", now);
  if (!known) known = token;
}

void LinkChecker::on_opened(NodeId sink, const wire::BatchOpened& opened) {
  for (auto& [number, slot] : batches_[opened.batch].slots) {
    if (const auto own = slot.settled.find(sink); own != slot.settled.end()) {
      own->second.repeats += 1;
    }
  }
}

void LinkChecker::on_sealed(const wire::BatchSealed& sealed, wire::Instant now) {
  Batch& batch = batches_[sealed.batch];
  batch.collage_only = sealed.collage_only;
  std::vector<wire::Instant>& admitted = batch.admitted.emplace();
  for (const wire::Duration age : sealed.ages) admitted.push_back(now - age);
}

void LinkChecker::on_settled(NodeId sink, const wire::SlotSettled& settled, wire::Instant now) {
  const std::string what = name(settled.batch, settled.slot);
  const wire::Verdict& verdict = settled.verdict;
  const bool answered = verdict.reason == wire::Reason::none;
  const bool collage = settled.source == wire::Source::collage;
  Batch& batch = batches_[settled.batch];
  Slot& slot = batch.slots[settled.slot];
  const auto [own, first] = slot.settled.try_emplace(sink);
  if (first) {
    own->second.predictions = verdict.predictions;
    if (collage && answered) own->second.collage = verdict.predictions.front().label;
  } else if (own->second.repeats == 0 || own->second.predictions != verdict.predictions) {
    violations_.add("the sink settles " + what + " twice", now);
  } else {
    own->second.repeats -= 1;
  }
  if (!slot.token) return violations_.add("the sink settles " + what + ", a blank slot", now);
  if (answered && !may_answer(options_.executor, without_names(verdict.predictions), settled.source,
                              *slot.token)) {
    violations_.add("the sink settles " + what + " with the answer of another image", now);
  }
  if (collage) check_collage(batch, settled, now);
}

// The shortest patience that the sink may have; a learned one changes while it runs.
wire::Duration LinkChecker::patience_min() const {
  const auto& sink = options_.fleet.sink;
  if (sink.collage_first) return wire::Duration::zero();
  return options_.fixed_patience ? sink.patience.initial : sink.patience.min;
}

void LinkChecker::check_collage(const Batch& batch, const wire::SlotSettled& settled,
                                wire::Instant now) {
  const std::string what = "the collage answer of " + name(settled.batch, settled.slot);
  if (!batch.admitted) return violations_.add(what + " comes before the seal", now);
  if (settled.slot >= batch.admitted->size()) {
    return violations_.add(what + " is for a blank slot", now);
  }
  if (!batch.collage_only && now < (*batch.admitted)[settled.slot] + patience_min()) {
    violations_.add(what + " is early", now);
  }
  const wire::Predictions& predictions = settled.verdict.predictions;
  if (predictions.empty() || predictions.front().probability < options_.fleet.sink.joiner.gate) {
    violations_.add(what + " is below the gate", now);
  }
}

void LinkChecker::on_disagreement(NodeId sink, const wire::Disagreement& disagreement,
                                  wire::Instant now) {
  const std::string what = name(disagreement.batch, disagreement.slot);
  auto& all = batches_[disagreement.batch].slots[disagreement.slot].settled;
  const auto settled = all.find(sink);
  if (settled == all.end() || !settled->second.collage) {
    return violations_.add("the sink corrects " + what + ", which no collage settled, or again",
                           now);
  }
  if (*settled->second.collage == disagreement.predictions.front().label) {
    violations_.add("the sink corrects " + what + " to what it was", now);
  }
  settled->second.collage.reset();
}

void LinkChecker::on_given(NodeId stage, const std::string& name, std::uint32_t capacity,
                           const wire::Assign& assign, wire::Instant now) {
  Credit& credit = credits_[stage];
  // An assembler is sent all images of a batch as one task.
  if (credit.crashed || !credit.given.insert(assign.sequence).second) return;
  credit.open.insert(assign.sequence);
  if (credit.open.size() <= capacity) return;
  violations_.add(name + " is given " + std::to_string(credit.open.size()) +
                      " tasks with a capacity of " + std::to_string(capacity),
                  now);
}

// The broker may have lost the stage meanwhile, and with it the tasks.
void LinkChecker::on_heard(NodeId stage, const wire::WorkerHello&) {
  credits_[stage].given.clear();
  credits_[stage].open.clear();
}

void LinkChecker::on_heard(NodeId stage, const wire::Ready& ready) {
  std::erase_if(credits_[stage].open, [&ready](wire::Sequence sequence) {
    return sequence <= ready.seen && std::ranges::find(ready.held, sequence) == ready.held.end();
  });
}

void LinkChecker::on_ready(const std::string& stage, std::uint32_t capacity,
                           const wire::Ready& ready, wire::Instant now) {
  if (ready.held.size() <= 2 * capacity) return;
  violations_.add(stage + " holds " + std::to_string(ready.held.size()) +
                      " tasks with a capacity of " + std::to_string(capacity),
                  now);
}

void LinkChecker::on_sink_life(NodeId sink) {
  for (auto& [id, batch] : batches_) {
    for (auto& [number, slot] : batch.slots) slot.settled.erase(sink);
  }
}

}  // namespace replay::sim
