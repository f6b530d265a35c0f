// Batch after batch on an idle fleet: the published experiment in virtual time.
//
// One producer sends grid x grid images at once.  The next batch is sent when those are answered
// and every stage has finished the answer it holds, so that each batch meets an idle fleet.  A
// stage's latency is max(drawn from the quantile table, its own compute).  The machines are those
// that ship; only inference is a token (token_runner.h), and messages are not encoded.
//
// Deterministic: the same options give the same result, to the bit (`hash`).
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "stages/sink/patience.h"
#include "wire/random.h"
#include "wire/types.h"

namespace replay::sim {

struct BatchOptions {
  std::string policy = "collage";  // A name of broker::named_redundancy.
  std::uint64_t seed = 1;
  int grid = 3;
  std::size_t batches = 100'000;
  std::vector<wire::QuantileTable::Row> table;  // Seconds a stage takes at least.
  // Measured in the live pipeline.
  wire::Duration single_compute{};   // Decode and inference of an s-CNN stage.
  wire::Duration collage_compute{};  // Inference of the collage-CNN.
  wire::Duration paste{};            // Decode of one tile by the assembler.
  wire::Duration link{};             // One message, one way.
  double collage_time_ratio = 1;     // Collage inference over single inference, for extra work.
  // The defaults of pipeline.yaml.
  stages::sink::Patience::Policy patience = {.initial = std::chrono::milliseconds(250),
                                             .min = std::chrono::milliseconds(25),
                                             .max = std::chrono::seconds(2),
                                             .worker_max = 64};
  wire::Duration hedge_after = std::chrono::milliseconds(400);
  double hedge_rate_max = 0.2;
  wire::Duration deadline = std::chrono::seconds(5);
};

struct BatchReplay {
  std::vector<double> batch_s;    // Submit of the batch to its last answer.
  std::vector<double> request_s;  // Submit to answer, in order of answer.
  std::uint64_t single = 0, collage = 0, hedge = 0, unanswered = 0;  // Requests by source.
  std::uint64_t collage_inferences = 0;                              // Used or not.
  std::uint64_t hedges = 0, duplicates = 0;                          // Started.
  double collage_share = 0;                                          // Of all requests.
  double extra_work = 0;  // (collages x ratio + hedges + duplicates) / requests.
  std::vector<std::string> violations;
  std::uint64_t events = 0;  // Of the simulation.
  std::uint64_t hash = 0;    // Of all latencies and sources.
};

// Requires a valid table and a known policy.
BatchReplay replay_batches(const BatchOptions& options);

}  // namespace replay::sim
