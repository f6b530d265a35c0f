// How a scenario is run.
#pragma once

#include <cstdint>
#include <string_view>

namespace replay::load {

enum class Mode : std::uint8_t {
  live,       // On a fleet of processes that the run starts on this host and stops again.
  deployed,   // On a pipeline that is up already; the run only sends load.
  simulated,  // In virtual time.
};

// "live", "deployed" or "sim": the last part of the name of a run's folder, and `mode` in its
// run.json and summary.json.
constexpr std::string_view to_string(Mode mode) {
  return mode == Mode::live ? "live" : mode == Mode::deployed ? "deployed" : "sim";
}

}  // namespace replay::load
