#include "stages/config.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>

#include "broker/policy_names.h"
#include "models/config.h"
#include "runtime/config/config_error.h"
#include "runtime/pipeline/quantiles.h"

namespace stages {
namespace {

constexpr std::uint64_t kCollageSeeds = 1'000'000;  // Beyond those of any s-CNN.

[[noreturn]] void unfit(const std::filesystem::path& manifest, const std::string& what) {
  throw runtime::ConfigError(manifest.string() + ": " + what);
}

}  // namespace

Membership::Policy read_membership(const runtime::Pipeline& pipeline) {
  return {
      .backoff_min = std::chrono::milliseconds(50),
      .backoff_max = std::max<wire::Duration>(std::chrono::seconds(2), pipeline.broker.heartbeat)};
}

models::Manifest read_single(const runtime::Pipeline& pipeline) {
  models::Manifest single = models::load_manifest(pipeline.models.single);
  if (single.kind != models::Kind::single) {
    unfit(pipeline.models.single, "kind: is not single, models.single wants a single-image model");
  }
  return single;
}

sink::Sink::Policy read_sink_policy(const runtime::Pipeline& pipeline) {
  const runtime::Pipeline::Sink& from = pipeline.sink;
  sink::Sink::Policy policy;
  policy.joiner = {.open_batch_max = from.open_batch_max,
                   .orphan_max = from.orphan_max,
                   .gate = static_cast<float>(from.gate),
                   .classes = read_single(pipeline).class_names.size()};
  policy.patience.learned = from.learned;
  policy.patience.initial = from.patience_initial;
  policy.patience.min = from.patience_min;
  policy.patience.max = from.patience_max;
  policy.patience.window = from.window;
  policy.patience.worker_max = pipeline.broker.worker_max;
  policy.patience.budget_share = 1.0 / (pipeline.grid * pipeline.grid);
  policy.collage_first = pipeline.policy == broker::kCollageFirst;
  policy.membership = read_membership(pipeline);
  return policy;
}

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

models::Manifest read_collage(const runtime::Pipeline& pipeline) {
  models::Manifest collage = models::load_manifest(pipeline.models.collage);
  if (collage.kind != models::Kind::collage) {
    unfit(pipeline.models.collage, "kind: is not collage, models.collage wants a collage model");
  }
  if (collage.grid != pipeline.grid) {
    unfit(pipeline.models.collage, "grid: is " + std::to_string(collage.grid) +
                                       ", the pipeline's is " + std::to_string(pipeline.grid));
  }
  if (collage.class_names != read_single(pipeline).class_names) {
    unfit(pipeline.models.collage, "classes: are not those of the single-image model");
  }
  return collage;
}

void want_same_shape(const models::Manifest& serving, const models::Manifest& fresh,
                     const std::filesystem::path& file) {
  if (fresh.class_names != serving.class_names) {
    unfit(file,
          "class_names: are not those that are served; other classes want a pipeline of "
          "their own");
  }
  // Pictures that are half made for one layout fit no other.
  const bool same = fresh.grid == serving.grid && fresh.tile.width == serving.tile.width &&
                    fresh.tile.height == serving.tile.height &&
                    fresh.tile.channels == serving.tile.channels;
  if (!same && serving.kind == models::Kind::collage) {
    unfit(file, "grid or tile: is not of the size that is served; another size wants a restart");
  }
}

}  // namespace stages
