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
  if (result.status != wire::ResultStatus::answered) {
    run_.unanswered += 1;
    return;
  }
  trips_.push_back((answer.latency - result.latency) / 2);
  const bool right = truth_ && result.predictions.front().name == truth_(answer.image);
  right_ += right;
  switch (result.source) {
    case wire::Source::collage:
      run_.collage += 1;
      collage_right_ += right;
      break;
    case wire::Source::hedge:
      run_.hedge += 1;
      break;
    default:
      run_.single += 1;
  }
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
  run.accuracy = share(right_, run.request_s.size());
  run.collage_share = share(run.collage, run.request_s.size());
  run.collage_accuracy = share(collage_right_, run.collage);
  run.extra_work = work.extra(collage_time_ratio);
  return run;
}

}  // namespace replay::report
