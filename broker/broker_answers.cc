// What the broker does with the sink's choices: results and corrections for producers.
#include <algorithm>
#include <utility>

#include "broker/broker.h"

namespace broker {

using wire::Reason;
using wire::ResultStatus;
using wire::Source;

bool Broker::valid(const wire::Predictions& predictions) const {
  return !predictions.empty() && std::ranges::all_of(predictions, [this](const auto& p) {
    return p.label.value < policy_.labels.size();
  });
}

bool Broker::well_formed(const wire::SlotSettled& settled) const {
  if (settled.slot >= slots_ || settled.source == Source::none) return false;
  return settled.verdict.reason != Reason::none || valid(settled.verdict.predictions);
}

std::vector<wire::NamedPrediction> Broker::named(const wire::Predictions& predictions) const {
  std::vector<wire::NamedPrediction> out;
  for (const wire::Prediction& p : predictions) out.push_back({policy_.labels[p.label.value], p});
  return out;
}

void Broker::on_settled(wire::SlotSettled settled) {
  if (settled.batch.epoch != epoch_) {
    counters_.settled_stale += 1;
    return;
  }
  if (!well_formed(settled)) {
    counters_.settled_bad += 1;
    return;
  }
  const Task task{settled.batch.sequence.value, settled.slot};
  const Entry* entry = ledger_.find(task);
  if (!entry) {
    counters_.settled_twice += 1;
    return;
  }
  // An image that waits for its first s-CNN, and that a cover answers meanwhile, is as it ever was.
  const bool alone = ledger_.find_batch(entry->task.batch)->collage_only && !entry->given;
  settle(task, make_result(std::move(settled), alone));
}

// Counts the result too, by its status and source.  `alone`: the image went into a
// collage without ever being given to an s-CNN.
wire::Result Broker::make_result(wire::SlotSettled settled, bool alone) {
  wire::Result result;
  result.version = std::move(settled.version);
  if (settled.verdict.reason != Reason::none) {
    counters_.rejected += 1;
    result.status = ResultStatus::rejected;
    result.reason = settled.verdict.reason;
    return result;
  }
  result.status = ResultStatus::answered;
  result.source = settled.source;
  result.predictions = named(settled.verdict.predictions);
  result.brownout = alone && settled.source == Source::collage;
  counters_.answered_brownout += result.brownout ? 1 : 0;
  (settled.source == Source::collage ? counters_.answered_collage
   : settled.source == Source::hedge ? counters_.answered_hedge
                                     : counters_.answered_single) += 1;
  return result;
}

void Broker::on_disagreement(wire::Disagreement disagreement) {
  if (disagreement.batch.epoch != epoch_) {
    counters_.settled_stale += 1;
    return;
  }
  const bool single = disagreement.source == Source::single || disagreement.source == Source::hedge;
  if (!single || !valid(disagreement.predictions)) {
    counters_.settled_bad += 1;
    return;
  }
  const auto answer = corrections_.take({disagreement.batch.sequence.value, disagreement.slot},
                                        disagreement.predictions.front().label, now_);
  if (!answer) {
    counters_.corrections_unwanted += 1;
    return;
  }
  const auto peer = sessions_.peer_of(answer->producer);
  if (!peer) {
    counters_.corrections_undelivered += 1;
    return;
  }
  counters_.corrections += 1;
  actions_.send(*peer,
                wire::Correction{answer->request, disagreement.source, now_ - answer->admitted,
                                 named(disagreement.predictions), std::move(disagreement.version)});
}

}  // namespace broker
