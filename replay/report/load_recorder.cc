#include "replay/report/load_recorder.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "machine/quantile.h"

namespace replay::report {
namespace {

double share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

std::size_t seconds_in(wire::Duration cycle) {
  return static_cast<std::size_t>(std::ceil(wire::to_seconds(cycle)));
}

}  // namespace

void LoadRecorder::Tally::add(const load::Answer& answer) {
  offered += 1;
  switch (answer.result.status) {
    case wire::ResultStatus::answered:
      answered += 1;
      answered_s.push_back(wire::to_seconds(answer.latency));
      break;
    case wire::ResultStatus::refused:
      refused += 1;
      break;
    case wire::ResultStatus::missing:
      missing += 1;
      break;
    default:
      break;
  }
}

void LoadRecorder::Tally::add(const Tally& other) {
  offered += other.offered;
  answered += other.answered;
  refused += other.refused;
  missing += other.missing;
  answered_s.insert(answered_s.end(), other.answered_s.begin(), other.answered_s.end());
}

double LoadRecorder::Tally::quantile(double p) const {
  if (answered_s.empty()) return 0;
  std::vector<double> seconds = answered_s;
  return machine::quantile_of_unsorted(seconds, p);
}

LoadRecorder::LoadRecorder(const load::Point& point, std::size_t collages, Truth truth)
    : policy_(point.policy.name),
      alone_(point.alone),
      collages_(collages),
      per_second_(load::offered_per_second(point.scenario)),
      arrivals_(point.scenario.arrivals),
      cycle_(point.scenario.arrivals.cycle()),
      senders_(load::senders_of(point.scenario)),
      truth_(std::move(truth)),
      by_second_(seconds_in(cycle_)),
      by_sender_(senders_.size()) {}

void LoadRecorder::answered(const load::Answer& answer) {
  all_.add(answer);
  if (!by_second_.empty()) {
    const wire::Duration at = (answer.intended() - begun_) % cycle_;
    by_second_[static_cast<std::size_t>(wire::to_seconds(at))].add(answer);
  }
  if (!by_sender_.empty()) by_sender_[answer.producer].add(answer);
  if (answer.result.status != wire::ResultStatus::answered) return;
  collage_ += answer.result.source == wire::Source::collage;
  right_ += truth_ && answer.result.predictions.front().name == truth_(answer.image);
}

LoadPoint LoadRecorder::figures(const load::WorkDone& work, const ModelFigures& models) const {
  LoadPoint point;
  point.policy = policy_;
  point.collages = collages_;
  point.per_second = per_second_;
  point.offered = all_.offered;
  point.answered = share(all_.answered, all_.offered);
  point.refused = share(all_.refused, all_.offered);
  point.missing = share(all_.missing, all_.offered);
  const std::vector<double>& seconds = all_.answered_s;
  point.mean_s = std::accumulate(seconds.begin(), seconds.end(), 0.0) /
                 static_cast<double>(std::max<std::size_t>(seconds.size(), 1));
  point.p50_s = all_.quantile(0.5);
  point.p99_s = all_.quantile(0.99);
  point.collage_share = share(collage_, all_.offered);
  point.wasted_s =
      wire::to_seconds(work.wasted) / static_cast<double>(std::max<std::uint64_t>(all_.offered, 1));
  if (truth_) {
    point.accuracy = share(right_, all_.answered);
  } else if (models.single_accuracy && models.collage_accuracy) {
    const double part = share(collage_, all_.answered);
    point.accuracy = part * *models.collage_accuracy + (1 - part) * *models.single_accuracy;
  }
  return point;
}

double LoadRecorder::rate_at(double at_s) const {
  double end = 0;
  for (const load::Arrivals::Step& step : arrivals_.steps) {
    end += wire::to_seconds(step.length);
    if (at_s < end) return step.per_second;
  }
  return 0;
}

std::vector<SecondFigures> LoadRecorder::seconds() const {
  std::vector<SecondFigures> rows;
  for (std::size_t i = 0; i < by_second_.size(); ++i) {
    const Tally& tally = by_second_[i];
    rows.push_back({.policy = policy_,
                    .at_s = static_cast<double>(i),
                    .per_second = rate_at(static_cast<double>(i)),
                    .offered = tally.offered,
                    .answered = tally.answered,
                    .refused = tally.refused,
                    .missing = tally.missing,
                    .p99_s = tally.quantile(0.99)});
  }
  return rows;
}

ProducerFigures LoadRecorder::row(const std::string& name, wire::Priority priority,
                                  const Tally& tally) const {
  return {.policy = policy_,
          .alone = alone_,
          .collages = collages_,
          .load = per_second_,
          .producer = name,
          .priority = std::string(to_string(priority)),
          .offered = tally.offered,
          .answered = share(tally.answered, tally.offered),
          .refused = share(tally.refused, tally.offered),
          .missing = share(tally.missing, tally.offered),
          .p50_s = tally.quantile(0.5),
          .p99_s = tally.quantile(0.99)};
}

std::vector<ProducerFigures> LoadRecorder::producers() const {
  std::vector<ProducerFigures> rows;
  for (std::size_t i = 0; i < senders_.size(); ++i) {
    rows.push_back(row(senders_[i].name, senders_[i].priority, by_sender_[i]));
  }
  return rows;
}

std::vector<ProducerFigures> LoadRecorder::groups() const {
  std::vector<ProducerFigures> rows;
  for (std::size_t i = 0; i < senders_.size();) {
    const std::size_t first = i;
    Tally together;
    for (; i < senders_.size() && senders_[i].group == senders_[first].group; ++i) {
      together.add(by_sender_[i]);
    }
    rows.push_back(row(senders_[first].group, senders_[first].priority, together));
  }
  return rows;
}

}  // namespace replay::report
