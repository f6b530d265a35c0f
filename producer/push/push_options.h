// The command line of collage-push as plain values.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "wire/message.h"
#include "wire/types.h"

namespace producer {

struct PushOptions {
  // Files, directories, `-`, and files with lists of paths; at least one of all unless `status`.
  std::vector<std::string> paths{}, lists{};
  std::vector<std::string> endpoints{};  // The brokers, in the order in which `stream` prefers them
                                         // (choice.h); several require `stream`.
  std::string stream{};                  // The name of the stream; empty if there is none.
  double rate = 0;                       // Images per second; 0: as fast as the pipeline answers.
  wire::Duration deadline{};             // The deadline of each image; 0: the default.
  // Of several brokers: silence after which images go to the next.
  wire::Duration failover_after = std::chrono::seconds(1);
  wire::Duration reach_max = std::chrono::seconds(5);  // Time to wait for the first Welcome.
  bool in_order = false;                               // Print results in the order of the files.
  wire::Priority priority = wire::Priority::normal;    // The priority of each image.
  bool latest = false;                                 // Newer images supersede older ones.
  bool corrections = false;                            // Ask for corrections and wait for them.
  std::string keys{};                                  // The folder of keys; empty: no encryption.
  bool status = false;                                 // Print the broker's counters instead.
  bool csv = false;                                    // Print CSV and not JSON.
  bool quiet = false;                                  // Print no progress and no summary.
};

// Adds the options, their checks and the help to `app`.  Parsing fills `options`, which must
// outlive `app`.
void add_push_options(CLI::App& app, PushOptions& options);

}  // namespace producer
