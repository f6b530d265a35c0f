#include "stages/commands/served_network.h"

#include <spdlog/spdlog.h>

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

void warn_of_pace(const runtime::Pipeline& pipeline, const models::Network& network,
                  std::size_t capacity) {
  const GrantedTimes granted{.task_age_max = pipeline.broker.task_age_max,
                             .deadline = pipeline.broker.deadline,
                             .wait_max = pipeline.broker.wait_max,
                             .patience_max = pipeline.sink.patience.max};
  for (const std::string& clause : too_short(granted, network.inference_time(), capacity)) {
    spdlog::warn("{}: {}", pipeline.service.file.string(), clause);
  }
}

void say_form(const models::Network& network) {
  spdlog::info("{}: served {}", network.version(), network.how_served());
}

}  // namespace stages
