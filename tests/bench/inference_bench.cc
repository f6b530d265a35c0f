// One inference of each network that ships and of some others: as it is served, against the module
// as it was exported.
#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>
#include <torch/script.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "models/serving/manifest_reader.h"
#include "models/serving/network.h"
#include "models/serving/script.h"
#include "tests/bench/benchmarks.h"

namespace bench {
namespace {

namespace fs = std::filesystem;

// Of the networks that ship, and of those in the folder COLLAGE_BENCH_NETWORKS.
std::vector<fs::path> manifests() {
  std::vector<fs::path> folders = {fs::path(COLLAGE_SOURCE_DIR) / "models"};
  if (const char* more = std::getenv("COLLAGE_BENCH_NETWORKS")) folders.emplace_back(more);
  std::vector<fs::path> paths;
  for (const fs::path& folder : folders) {
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (entry.path().extension() == ".yaml") paths.push_back(entry.path());
    }
  }
  std::ranges::sort(paths);
  return paths;
}

// Loaded at the first repetition, for that takes longer than to measure.
void ours(benchmark::State& state, const fs::path& path) {
  static std::map<fs::path, models::Network> loaded;
  if (!loaded.contains(path)) loaded.emplace(path, models::load_manifest(path));
  const models::Network& network = loaded.at(path);
  const std::vector<std::uint8_t> pixels(network.manifest().input().bytes(), 77);
  for (auto _ : state) benchmark::DoNotOptimize(network.logits(pixels).data());
}

void reference(benchmark::State& state, const fs::path& path) {
  const models::Manifest manifest = models::load_manifest(path);
  torch::jit::Module module = models::load_script(manifest.weights, manifest.sha256).module;
  module.eval();
  at::set_num_threads(1);
  const models::TileShape input = manifest.input();
  const torch::Tensor picture = torch::rand({1, input.channels, input.height, input.width});
  const torch::NoGradGuard no_gradients;
  for (auto _ : state) {
    const torch::IValue answer = module.forward({picture});
    benchmark::DoNotOptimize(&answer);
  }
}

}  // namespace

void add_networks() {
  for (const fs::path& path : manifests()) {
    const std::string name = "inference-" + path.stem().string();
    benchmark::RegisterBenchmark((name + "/ours").c_str(),
                                 [=](benchmark::State& state) { ours(state, path); });
    benchmark::RegisterBenchmark((name + "/reference").c_str(),
                                 [=](benchmark::State& state) { reference(state, path); });
  }
}

}  // namespace bench
