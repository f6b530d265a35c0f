#include "replay/report/collector.h"

#include <algorithm>
#include <utility>

#include "machine/quantile.h"
#include "replay/report/events.h"
#include "wire/check.h"

namespace replay::report {
namespace {

constexpr std::size_t kExamplesMax = 3;  // Batches kept whole.

ExampleSlot example_slot(const load::Answer& answer, const std::string& truth) {
  ExampleSlot slot;
  slot.image = answer.image;
  slot.source = outcome_of(answer.result);
  slot.truth = truth;
  slot.latency_s = wire::to_seconds(answer.latency);
  if (answer.result.predictions.empty()) return slot;
  slot.answer = answer.result.predictions.front().name;
  slot.probability = answer.result.predictions.front().prediction.probability;
  return slot;
}

}  // namespace

Collector::Collector(std::string policy, Truth truth, std::size_t slots)
    : truth_(std::move(truth)), open_(slots) {
  COLLAGE_CHECK(slots > 0);
  run_.name = std::move(policy);
  run_.judged = static_cast<bool>(truth_);
}

void Collector::answered(const load::Answer& answer) {
  const wire::Result& result = answer.result;
  run_.answer_at_s.push_back(static_cast<float>(wire::to_seconds(answer.at - begun_)));
  if (truth_) open_[answer.image % open_.size()] = example_slot(answer, truth_(answer.image));
  if (result.status != wire::ResultStatus::answered) {
    run_.unanswered += 1;
    run_.answer_source += '-';
    return;
  }
  run_.request_s.push_back(wire::to_seconds(answer.latency));
  trips_.push_back((answer.latency - result.latency) / 2);
  const bool right = truth_ && result.predictions.front().name == truth_(answer.image);
  switch (result.source) {
    case wire::Source::collage:
      run_.collage += 1;
      run_.collage_right += right;
      run_.answer_source += 'c';
      break;
    case wire::Source::hedge:
      run_.hedge += 1;
      run_.hedge_right += right;
      run_.answer_source += 'h';
      break;
    default:
      run_.single += 1;
      run_.single_right += right;
      run_.answer_source += 's';
  }
}

HealthSample Collector::sample(wire::Instant at, const load::Counters& broker) const {
  return {.at_s = wire::to_seconds(at - begun_),
          .classifiers = broker.value("classifiers"),
          .assemblers = broker.value("assemblers"),
          .suspect = broker.value("classifiers_suspect"),
          .on_probation =
              broker.value("classifiers_on_probation") + broker.value("assemblers_on_probation")};
}

bool Collector::health(const HealthSample& sample) {
  constexpr double kEvery = 0.5;
  if (!run_.health.empty() && sample.at_s - run_.health.back().at_s < kEvery) return false;
  run_.health.push_back(sample);
  return true;
}

void Collector::fault(wire::Instant at, std::string what) {
  run_.faults.push_back({wire::to_seconds(at - begun_), std::move(what)});
}

void Collector::batch(std::size_t batch, wire::Duration latency) {
  run_.batch_s.push_back(wire::to_seconds(latency));
  if (truth_) keep_example(batch);
}

// Keeps the first batches in which a collage or a hedge answered; without any, the first batch.
void Collector::keep_example(std::size_t batch) {
  const bool mixed = std::ranges::any_of(open_, [](const ExampleSlot& slot) {
    return slot.source != wire::to_string(wire::Source::single);
  });
  std::vector<Example>& kept = run_.examples;
  const bool first_is_plain = kept.size() == 1 && !kept.front().mixed;
  if (mixed && first_is_plain) kept.clear();
  if (kept.size() < (mixed ? kExamplesMax : 1)) kept.push_back({batch, mixed, open_});
}

wire::Duration Collector::link() const {
  if (trips_.empty()) return {};
  std::vector<double> seconds(trips_.size());
  std::ranges::transform(trips_, seconds.begin(), wire::to_seconds);
  return wire::from_seconds(machine::quantile_of_unsorted(seconds, 0.5));
}

PolicyRun Collector::run(const load::WorkDone& work, double collage_time_ratio,
                         std::uint64_t seed) const {
  const auto share = [](std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
  };
  PolicyRun run = run_;
  run.per_batch = distribution(run.batch_s, seed);
  run.per_request = distribution(run.request_s, seed);
  const std::uint64_t right = run.single_right + run.collage_right + run.hedge_right;
  run.accuracy = share(right, run.images() - run.unanswered);
  run.collage_share = share(run.collage, run.images());
  run.collage_accuracy = share(run.collage_right, run.collage);
  run.extra_work = work.extra(collage_time_ratio);
  return run;
}

}  // namespace replay::report
