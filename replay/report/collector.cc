#include "replay/report/collector.h"

#include <algorithm>
#include <utility>

namespace replay::report {

Collector::Collector(std::string policy, Truth truth) : truth_(std::move(truth)) {
  run_.name = std::move(policy);
}

void Collector::answered(const load::Answer& answer) {
  const wire::Result& result = answer.result;
  run_.request_s.push_back(wire::to_seconds(answer.latency));
  run_.answer_at_s.push_back(static_cast<float>(wire::to_seconds(answer.at - begun_)));
  if (result.status != wire::ResultStatus::answered) {
    run_.unanswered += 1;
    run_.answer_source += '-';
    return;
  }
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

std::optional<HealthSample> Collector::health(wire::Instant at, const load::Counters& broker) {
  constexpr double kEvery = 0.5;
  const double at_s = wire::to_seconds(at - begun_);
  if (!run_.health.empty() && at_s - run_.health.back().at_s < kEvery) return std::nullopt;
  const auto value = [&](const char* name) {
    const auto found = broker.find(name);
    return found == broker.end() ? std::uint64_t{0} : found->second;
  };
  run_.health.push_back(
      {.at_s = at_s,
       .classifiers = value("classifiers"),
       .assemblers = value("assemblers"),
       .suspect = value("classifiers_suspect"),
       .on_probation = value("classifiers_on_probation") + value("assemblers_on_probation")});
  return run_.health.back();
}

void Collector::fault(wire::Instant at, std::string what) {
  run_.faults.push_back({wire::to_seconds(at - begun_), std::move(what)});
}

void Collector::batch(wire::Duration latency) { run_.batch_s.push_back(wire::to_seconds(latency)); }

wire::Duration Collector::link() const {
  if (trips_.empty()) return {};
  std::vector<wire::Duration> trips = trips_;
  const auto middle = trips.begin() + static_cast<std::ptrdiff_t>(trips.size() / 2);
  std::ranges::nth_element(trips, middle);
  return *middle;
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
  run.accuracy = share(right, run.request_s.size());
  run.collage_share = share(run.collage, run.request_s.size());
  run.collage_accuracy = share(run.collage_right, run.collage);
  run.extra_work = work.extra(collage_time_ratio);
  return run;
}

}  // namespace replay::report
