// The verbs of collage-replay.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace replay {

struct ReplayOptions {
  std::string scenario = "demo";                     // A name in replay/scenarios, or a file.
  std::filesystem::path pipeline = "pipeline.yaml";  // What the scenario's pipelines are like.
  // Gets <scenario>-live and <scenario>-sim; if `alone`, is itself the live one.
  std::filesystem::path out = "out/replay";
  bool alone = false;
  std::optional<std::uint64_t> seed;  // These replace the scenario's.
  std::optional<std::size_t> batches;
  std::optional<std::size_t> simulated_batches;
  std::vector<std::string> policies;
};

struct PipelineOptions {
  std::filesystem::path pipeline = "pipeline.yaml";
  std::filesystem::path logs = "out/pipeline";
  int classifiers = 0;  // 0: one a slot.
  int collages = 1;
};

struct SimOptions {
  std::uint64_t first = 1, last = 1000;  // Seeds.
  std::size_t failures_max = 5;          // Then it ends.
  bool hashes = false;                   // Print each seed's.
};

// Each returns the exit code and throws what keeps it from starting.
int run_replay(const ReplayOptions& options);
int run_sim(const SimOptions& options);
int run_pipeline(const PipelineOptions& options);

}  // namespace replay
