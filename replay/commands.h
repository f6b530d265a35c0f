// The verbs of collage-replay.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace replay {

struct DemoOptions {
  std::filesystem::path pipeline = "pipeline.yaml";
  std::filesystem::path latency = "replay/quantiles/cloud-latency-2019.csv";
  std::filesystem::path out = "out/demo";
  std::filesystem::path images = "out/images/fashion-mnist-test";
  std::uint64_t seed = 1;
  std::size_t batches = 200;
  std::size_t simulated_batches = 100'000;
  std::vector<std::string> policies = {"none", "hedge", "collage"};
};

struct PipelineOptions {
  std::filesystem::path pipeline = "pipeline.yaml";
  std::filesystem::path logs = "out/pipeline";
  int classifiers = 0;  // 0: one a slot.
  int collages = 1;
};

// Each returns the exit code and throws what keeps it from starting.
int run_demo(const DemoOptions& options);
int run_pipeline(const PipelineOptions& options);

}  // namespace replay
