#include "stages/commands/served_network.h"

#include <spdlog/spdlog.h>

#include <cstddef>
#include <utility>

#include "stages/pace.h"

namespace stages {

SharedNetwork load_network(models::Manifest manifest, const models::ServingPolicy& policy) {
  auto network = std::make_shared<const models::Network>(std::move(manifest), policy);
  for (const std::string& warning : network->warnings()) {
    spdlog::warn("{}: {}", network->manifest().weights.string(), warning);
  }
  return network;
}

std::uint32_t capacity_of(const runtime::Pipeline& pipeline, const models::Network& network) {
  return classifier_capacity(pipeline.stages.classifier_capacity, pipeline.emulation.has_value(),
                             network.inference_time());
}

void warn_of_pace(const runtime::Pipeline& pipeline, const models::Network& network,
                  std::size_t tasks) {
  const bool single = network.manifest().kind == models::Kind::single;
  GrantedTimes granted{.task_age_max = pipeline.broker.task_age_max,
                       .deadline = pipeline.broker.deadline,
                       .patience = {}};
  if (single && pipeline.broker.redundancy.collages_per_batch > 0 && !pipeline.sink.collage_first) {
    const auto& patience = pipeline.sink.patience;
    granted.patience = patience.learned
                           ? GrantedTimes::Patience{"sink.patience_max", patience.max}
                           : GrantedTimes::Patience{"sink.patience_initial", patience.initial};
  }
  for (const std::string& clause : too_short(granted, network.inference_time(), tasks)) {
    spdlog::warn("{}: {}", pipeline.service.file.string(), clause);
  }
}

void say_form(const models::Network& network) {
  spdlog::info("{}: served {}", network.version(), network.how_served());
}

}  // namespace stages
