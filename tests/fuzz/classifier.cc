// An s-CNN stage, fed any messages from its broker (stage_game.h).

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "stages/classifier/classifier.h"
#include "tests/fuzz/stage_game.h"

namespace {

using namespace std::chrono_literals;
using stages::classifier::Classifier;

std::optional<stages::Emulation> emulation_of(fuzz::Input& input) {
  static const auto kSeconds = std::make_shared<const std::vector<double>>(3, 0.1);
  const std::vector<stages::LatencySource> sources{
      stages::Pareto{1.5, 0.05}, stages::LogNormal{0.05, 1}, stages::Recorded{kSeconds},
      machine::QuantileTable({{0, 0.01}, {1, 0.2}})};
  const std::size_t source = input.below(sources.size() + 1);
  if (source == sources.size()) return std::nullopt;
  return stages::Emulation(sources[source], machine::Rng(1), {2, 1s, 5s});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  Classifier stage({{1, 1}, wire::Role::classifier, {7, 0, "v1"}, fuzz::kCapacity}, {100ms, 1s},
                   emulation_of(input), fuzz::kSinks);
  stage.set_together(2);
  fuzz::StageGame<Classifier, wire::Assign, wire::Answer, wire::Withdraw>(stage, input).run();
  return 0;
}
