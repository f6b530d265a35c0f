// What a replay measured, as values: what tables, summary.json and report.html are made of.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "replay/report/statistics.h"

namespace replay::report {

// What the broker said of its workers at a time of the run.
struct HealthSample {
  double at_s = 0;
  std::uint64_t classifiers = 0, assemblers = 0, suspect = 0, on_probation = 0;
};

struct FaultMark {
  double at_s = 0;
  std::string what;
};

// What became of one image of a batch, for people to look at.
struct ExampleSlot {
  std::size_t image = 0;  // Key of Summary::pictures.
  std::string source;     // "single", "collage", "hedge", "missing", "rejected" or "refused".
  std::string answer;     // The class; empty where there is none, as the truth.
  double probability = 0;
  std::string truth;
  double latency_s = 0;
};

// One batch, row by row.
struct Example {
  std::size_t batch = 0;
  bool mixed = false;  // Something other than an image's own s-CNN answered some of it.
  std::vector<ExampleSlot> slots;
};

struct PolicyRun {
  std::string name;
  bool judged = false;  // Whether answers could be right or wrong; tokens cannot.
  Distribution per_batch, per_request;
  double sim_p99_s = 0;         // Per batch, by the simulator; 0 if it did not run.
  Distribution simulated;       // Per batch, the whole of it.
  double accuracy = 0;          // Of all images; one without an answer counts as wrong.
  double collage_share = 0;     // Of the answers.
  double collage_accuracy = 0;  // Of the collage's answers; 0 if there are none.
  double extra_work = 0;        // (collages x their relative time + hedges + copies) / images.
  std::uint64_t violations = 0;
  double seconds = 0;  // The run took.
  std::uint64_t single = 0, collage = 0, hedge = 0, unanswered = 0;
  std::uint64_t single_right = 0, collage_right = 0, hedge_right = 0;
  // Of answers in the order in which they came: when, and by what ("sch-" for single, collage,
  // hedge, unanswered).
  std::vector<float> answer_at_s;
  std::string answer_source;
  std::vector<HealthSample> health;
  std::vector<FaultMark> faults;
  std::vector<Example> examples;
  std::vector<double> batch_s, request_s;  // As they came.
  std::vector<double> simulated_batch_s;
};

struct Summary {
  std::string scenario, mode;  // "live" or "sim".
  std::string about;           // What the scenario asks.
  std::uint64_t seed = 0;
  std::string commit;
  double collage_time_ratio = 0;  // One collage inference over one single inference.
  double single_inference_s = 0, collage_inference_s = 0;  // Medians, batch 1, one thread.
  std::size_t slots = 9;                                   // Images a batch.
  std::string machine;                                     // Processor and cores.
  std::string command;
  std::vector<PolicyRun> policies;
  std::map<std::size_t, std::string> pictures;  // By image, of the examples: PNG.
};

// Puts the simulated figures of each policy beside the live ones of the same name.
void set_beside(Summary& live, const Summary& simulated);

// summary.json: shares are fractions 0..1, times are seconds.
std::string to_json(const Summary& summary);

// summary.csv: a row for each policy and scope (batch, image), seconds and fractions.
std::string to_csv(const Summary& summary);

// The table for a terminal of 80 columns; milliseconds and per cent.
std::string to_table(const Summary& summary);

}  // namespace replay::report
