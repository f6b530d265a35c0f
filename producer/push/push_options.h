// The command line of collage-push as plain values.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "wire/message.h"
#include "wire/types.h"

namespace producer {

struct PushOptions {
  std::vector<std::string> paths{};      // Files, directories, `-`; at least one unless `status`.
  std::vector<std::string> endpoints{};  // The brokers; several require `stream`.
  std::string stream{};                  // The name of the stream; empty if there is none.
  std::string endpoint{};                // The one of `endpoints` that is used (choice.h).
  double rate = 0;                       // Images per second; 0: as fast as credit allows.
  wire::Duration deadline = std::chrono::seconds(10);  // The deadline of each image.
  wire::Duration reach_max = std::chrono::seconds(5);  // Time to wait for the first Welcome.
  bool in_order = false;                               // Print results in the order of the files.
  wire::Priority priority = wire::Priority::normal;    // The priority of each image.
  bool latest = false;                                 // Newer images supersede older ones.
  bool corrections = false;                            // Ask for corrections and wait for them.
  std::string keys{};                                  // The folder of keys; empty: no encryption.
  bool status = false;                                 // Print the broker's counters instead.
  bool quiet = false;                                  // Print no progress and no summary.
};

// Adds the options, their checks and the help to `app`.  Parsing fills `options`, which must
// outlive `app`.
void add_push_options(CLI::App& app, PushOptions& options);

// Returns true for tcp://HOST:PORT and ipc://PATH.
bool valid_endpoint(const std::string& endpoint);

}  // namespace producer
