#include "broker/version_figures.h"

#include <utility>

namespace broker {

void VersionFigures::observe(const std::string& version, wire::Source source,
                             wire::Duration latency) {
  if (version.empty()) return;
  const bool fits = versions_.contains(version) || versions_.size() < version_max_;
  versions_[fits ? version : "other"][static_cast<std::size_t>(source)].observe(latency);
}

void VersionFigures::report(machine::Telemetry& report) const {
  machine::Metric metric{
      "collage_model_answer_duration_seconds",
      "From admission to the answer, by the version of the model and the source.",
      machine::Metric::Kind::histogram,
      {}};
  for (const auto& [version, by_source] : versions_) {
    for (std::size_t source = 0; source < by_source.size(); ++source) {
      if (by_source[source].count() == 0) continue;
      const auto name = wire::to_string(static_cast<wire::Source>(source));
      metric.samples.push_back(
          {{{"version", version}, {"source", std::string(name)}}, by_source[source]});
    }
  }
  report.metrics.push_back(std::move(metric));
}

}  // namespace broker
