// The verbs of collage-replay.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "runtime/service/install_paths.h"

namespace replay {

struct ReplayOptions {
  std::string scenario = "demo";  // A name in replay/scenarios, or a file.
  std::filesystem::path pipeline =
      runtime::default_pipeline();  // What the scenario's pipelines are like.
  // The pipeline of that file is up and is asked as it is, instead of one of our own processes.
  bool deployed = false;
  bool print_pipeline = false;  // Only print the pipeline that the first policy wants.
  // Gets <scenario>-live (or -deployed) and <scenario>-sim; if `alone`, is itself the live one.
  std::filesystem::path out = "out/replay";
  bool alone = false;
  std::optional<std::uint64_t> seed;  // These replace the scenario's.
  std::optional<std::size_t> batches;
  std::optional<std::size_t> simulated_batches;
  std::vector<std::string> policies;
};

struct PipelineOptions {
  std::filesystem::path pipeline = runtime::default_pipeline();
  std::filesystem::path logs = "out/pipeline";
  int classifiers = 0;  // 0: one a slot.
  int collages = 1;
};

struct ReportOptions {
  std::filesystem::path folder;  // Of a run.
};

struct CompareOptions {
  std::vector<std::filesystem::path> folders;  // Of runs; ratios are to the first.
  std::filesystem::path page = "out/replay/compare.html";
};

struct JoinOptions {
  std::filesystem::path out;                   // Gets the whole.
  std::vector<std::filesystem::path> folders;  // Of runs of one scenario, other policies each.
};

struct RecordOptions {
  std::string endpoint = "tcp://127.0.0.1:5570";  // Of a broker, for producers.
  std::string keys;                               // Their folder; empty: plain.
  std::string dataset = "fashion";                // Whose test images are sent.
  std::size_t images = 1000;
  std::size_t parallel = 1;  // Under way at once.
  std::filesystem::path out = "out/latency.csv";
};

struct LifeOptions {
  std::uint64_t request = 0;
  std::string producer;                     // How its short name begins; empty: any.
  std::vector<std::filesystem::path> logs;  // Files, folders, or `-` for standard input.
};

struct SimOptions {
  std::uint64_t first = 1, last = 1000;  // Seeds.
  std::size_t failures_max = 5;          // Then it ends.
  bool hashes = false;                   // Print each seed's.
};

// Each returns the exit code and throws what keeps it from starting.
int run_replay(const ReplayOptions& options);
int run_sim(const SimOptions& options);
int run_report(const ReportOptions& options);
int run_compare(const CompareOptions& options);
int run_join(const JoinOptions& options);
int run_record(const RecordOptions& options);
int run_life(const LifeOptions& options);
int run_pipeline(const PipelineOptions& options);

}  // namespace replay
