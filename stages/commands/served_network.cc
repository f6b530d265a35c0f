#include "stages/commands/served_network.h"

#include <spdlog/spdlog.h>

#include <utility>

namespace stages {

SharedNetwork load_network(models::Manifest manifest) {
  auto network = std::make_shared<const models::Network>(std::move(manifest));
  const models::Manifest& m = network->manifest();
  spdlog::info("{}: served {}", m.version, network->how_served());
  for (const std::string& warning : network->warnings()) {
    spdlog::warn("{}: {}", m.weights.string(), warning);
  }
  return network;
}

}  // namespace stages
