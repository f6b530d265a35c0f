#include "stages/commands/served_network.h"

#include <spdlog/spdlog.h>

#include <utility>

namespace stages {

SharedNetwork load_network(models::Manifest manifest, const models::ServingPolicy& policy) {
  auto network = std::make_shared<const models::Network>(std::move(manifest), policy);
  for (const std::string& warning : network->warnings()) {
    spdlog::warn("{}: {}", network->manifest().weights.string(), warning);
  }
  return network;
}

void say_form(const models::Network& network) {
  spdlog::info("{}: served {}", network.version(), network.how_served());
}

}  // namespace stages
