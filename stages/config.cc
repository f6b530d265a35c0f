#include "stages/config.h"

#include <chrono>
#include <string>

#include "models/config.h"
#include "runtime/config_error.h"
#include "runtime/quantiles.h"
#include "wire/policy_names.h"

namespace stages {
namespace {

[[noreturn]] void unfit(const std::filesystem::path& manifest, const std::string& what) {
  throw runtime::ConfigError(manifest.string() + ": " + what);
}

}  // namespace

Membership::Policy read_membership(const runtime::Pipeline& pipeline) {
  return {
      .backoff_min = std::chrono::milliseconds(50),
      .backoff_max = std::max<wire::Duration>(std::chrono::seconds(2), pipeline.broker.heartbeat)};
}

sink::Sink::Policy read_sink_policy(const runtime::Pipeline& pipeline) {
  const runtime::Pipeline::Sink& from = pipeline.sink;
  sink::Sink::Policy policy;
  policy.joiner = {.open_batch_max = from.open_batch_max,
                   .orphan_max = from.orphan_max,
                   .gate = static_cast<float>(from.gate)};
  policy.patience.learned = from.learned;
  policy.patience.initial = from.patience_initial;
  policy.patience.min = from.patience_min;
  policy.patience.max = from.patience_max;
  policy.patience.window = from.window;
  policy.patience.worker_max = pipeline.broker.worker_max;
  policy.patience.budget_share = 1.0 / (pipeline.grid * pipeline.grid);
  policy.collage_first = pipeline.policy == wire::kCollageFirst;
  policy.membership = read_membership(pipeline);
  return policy;
}

std::optional<Emulation> read_emulation(const runtime::Pipeline& pipeline, std::uint64_t index) {
  if (!pipeline.emulation) return std::nullopt;
  // Far apart in the seed's space; Rng mixes the rest.
  const std::uint64_t seed = pipeline.emulation->seed * 0x9e3779b97f4a7c15u + index;
  return Emulation{wire::QuantileTable(runtime::load_quantiles(pipeline.emulation->latency)),
                   wire::Rng(seed)};
}

models::Manifest read_single(const runtime::Pipeline& pipeline) {
  models::Manifest single = models::load_manifest(pipeline.models.single);
  if (single.kind != models::Kind::single) {
    unfit(pipeline.models.single, "kind: is not single, models.single wants a single-image model");
  }
  return single;
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

}  // namespace stages
