#include "stages/emulation_reader.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "runtime/pipeline/quantiles.h"

namespace stages {
namespace {

// Added to the index of a collage stage, so that its seed differs from that of any s-CNN stage.
constexpr std::uint64_t kCollageSeeds = 1'000'000;

}  // namespace

LatencySource latency_source(const runtime::Latency& latency) {
  using Source = runtime::Latency::Source;
  switch (latency.source) {
    case Source::quantiles:
      return Independent(runtime::load_quantiles(latency.file));
    case Source::series:
      return Recorded{std::make_shared<std::vector<double>>(runtime::load_series(latency.file))};
    case Source::pareto:
      return Pareto{.shape = latency.shape, .scale_s = wire::to_seconds(latency.scale)};
    case Source::log_normal:
      break;
  }
  return LogNormal{.median_s = wire::to_seconds(latency.median), .sigma = latency.sigma};
}

std::optional<Emulation> read_emulation(const runtime::Pipeline& pipeline, wire::Role role,
                                        std::uint64_t index) {
  if (!pipeline.emulation) return std::nullopt;
  const runtime::Pipeline::Emulation& from = *pipeline.emulation;
  const bool single = role == wire::Role::classifier;
  const std::string name = (single ? "classifier-" : "collage-") + std::to_string(index);
  const bool slow = std::ranges::find(from.slow, name) != from.slow.end();
  // Far apart in the seed's space; Rng mixes the rest.
  const std::uint64_t seed = from.seed * 0x9e3779b97f4a7c15u + index + (single ? 0 : kCollageSeeds);
  return Emulation(
      latency_source(from.latency), machine::Rng(seed),
      {.factor = slow ? from.slow_factor : 1.0, .after = from.slow_after, .length = from.slow_for});
}

}  // namespace stages
