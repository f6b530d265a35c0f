// The command line of collage-push as a value.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "wire/types.h"

namespace producer {

struct PushOptions {
  std::vector<std::string> paths{};      // Files, directories, `-`; at least one unless `status`.
  std::vector<std::string> endpoints{};  // Of brokers; several want a stream.
  std::string stream{};
  std::string endpoint{};  // The one among them that the stream belongs to (choice.h).
  double rate = 0;         // Images a second; 0: as credit allows.
  wire::Duration deadline = std::chrono::seconds(10);  // Of an image.
  wire::Duration reach_max = std::chrono::seconds(5);  // To reach the broker.
  bool in_order = false;                               // Results in the order of the files.
  bool corrections = false;                            // Ask for corrections and wait for them.
  std::string keys{};                                  // Their folder; empty: plain.
  bool status = false;                                 // Print the broker's counters instead.
  bool quiet = false;
};

// Gives `app` the options, their checks and its help; parsing fills `options`, which must
// outlive it.
void add_push_options(CLI::App& app, PushOptions& options);

// Whether this is tcp://HOST:PORT or ipc://PATH.
bool valid_endpoint(const std::string& endpoint);

}  // namespace producer
