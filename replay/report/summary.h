// The results of a run as values, from which tables, summary.json and report.html are made.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "replay/report/load_figures.h"
#include "replay/report/statistics.h"

namespace replay::report {

// The numbers of the broker's workers at one time of the run.
struct HealthSample {
  double at_s = 0;
  std::uint64_t classifiers = 0, assemblers = 0, suspect = 0, on_probation = 0;
};

struct FaultMark {
  double at_s = 0;
  std::string what;
};

// The result of one image of an example batch.
struct ExampleSlot {
  std::size_t image = 0;  // Number of the image, the key of Summary::pictures.
  std::string source;     // "single", "collage", "hedge", "missing", "rejected" or "refused".
  std::string answer;     // Name of the class; empty without an answer.
  double probability = 0;
  std::string truth;  // Name of the true class; empty if unknown.
  double latency_s = 0;
};

// One batch with its slots row by row.
struct Example {
  std::size_t batch = 0;
  bool mixed = false;  // Some slot has another source than its own s-CNN.
  std::vector<ExampleSlot> slots;
  // The picture that the collage-CNN saw (picture_of()); empty if it could not be drawn.
  std::string collage{};
};

struct PolicyRun {
  std::string name;
  bool judged = false;  // Whether the true classes are known; in a simulation they are not.
  Distribution per_batch;
  Distribution per_request;     // Of answered images: a refusal comes at once and is no answer.
  double sim_p99_s = 0;         // p99 of batches in the simulation; 0 without a simulation.
  Distribution simulated;       // Latencies of batches in the simulation.
  double accuracy = 0;          // Share of the answers that are right, 0 to 1.
  double collage_share = 0;     // Share of images answered by a collage, 0 to 1.
  double collage_accuracy = 0;  // Share of the collages' answers that are right; 0 if none.
  // (Collages x their relative time + hedges + copies) / images that the broker admitted.
  double extra_work = 0;
  std::uint64_t violations = 0;
  double seconds = 0;  // Duration of the run on the wall clock.
  // Images by the source of their answers; `unanswered` are the missing, rejected and refused ones.
  std::uint64_t single = 0, collage = 0, hedge = 0, unanswered = 0;
  std::uint64_t single_right = 0, collage_right = 0, hedge_right = 0;
  // Time and source of each answer in order of arrival; the sources are the letters "s", "c", "h"
  // and "-" for single, collage, hedge and unanswered.
  std::vector<float> answer_at_s;
  std::string answer_source;
  std::vector<HealthSample> health;
  std::vector<FaultMark> faults;
  std::vector<Example> examples;
  std::vector<double> batch_s, request_s;  // Latencies in order of arrival.
  std::vector<double> simulated_batch_s;

  std::uint64_t images() const { return single + collage + hedge + unanswered; }
  // Share of the images that were answered, 0 to 1; 1 if there were none.
  double answered() const;
  // Whether there is an accuracy to tell of.
  bool has_accuracy() const { return judged && images() > unanswered; }
};

// The answered share for people: "44.17 %".  Rounded down, so that only all are "100.00 %".
std::string answered_share(const PolicyRun& run);

// Another page to look at, from a report.
struct SeeAlso {
  std::string label;
  std::string page;  // Relative to the folder of the report.
};

struct Summary {
  std::string scenario;
  std::string mode;   // load::to_string(Mode), or "compare".
  std::string about;  // The scenario's own description.
  std::uint64_t seed = 0;
  std::string commit;
  std::string version;  // Of the programs; empty in a run of an older version, as the next two.
  std::string host;     // Name of the host from which the load came.
  std::string date;     // Begin of the run: "2026-11-29 06:20 UTC".
  double collage_time_ratio = 0;  // Time of a collage inference divided by that of an s-CNN.
  double single_inference_s = 0, collage_inference_s = 0;  // Medians, batch 1, one thread.
  std::size_t slots = 9;                                   // Images in a batch.
  std::string machine;                                     // Processor and number of cores.
  std::string command;                                     // The command that repeats the run.
  std::vector<PolicyRun> policies;  // Empty for a sweep, which has `load` instead.
  std::vector<LoadPoint> load;
  std::vector<SecondFigures> seconds;              // If the arrivals have steps.
  std::vector<ProducerFigures> producers, groups;  // If there are several producers.
  std::map<std::size_t, std::string> pictures;  // Images of the examples (picture_of()), by number.
  std::vector<SeeAlso> see_also;                // Pages that exist; not part of the run itself.
};

// Copies the simulated figures of each policy into the live policy of the same name.
void attach_simulated(Summary& live, const Summary& simulated);

// summary.json: shares are fractions 0..1, times are seconds; those of images are of answered ones.
std::string to_json(const Summary& summary);

// summary.csv: a row for each policy and scope (batch, image), seconds and fractions.
std::string to_csv(const Summary& summary);

// The table for a terminal of 80 columns; milliseconds and per cent.
std::string to_table(const Summary& summary);

}  // namespace replay::report
