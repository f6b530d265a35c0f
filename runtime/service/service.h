// Runs one machine as a process: reads pipeline.yaml, starts the log, drives until told to stop.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "runtime/loop/loop.h"
#include "runtime/loop/signals.h"
#include "runtime/pipeline/pipeline.h"
#include "runtime/service/install_paths.h"
#include "runtime/service/model_reload.h"

namespace runtime {

// What the command line of every pipeline process has.
struct ServiceOptions {
  std::filesystem::path pipeline = default_pipeline();
  bool check = false;         // Only validate.
  bool print_config = false;  // Only validate, and print every key as it holds.
};

// Adds the pipeline's file, --check, --print-config and their help.
void add_service_options(CLI::App& app, ServiceOptions& options);

// To be called once all that a process reads at its start has been: whether that is all that was
// asked for.
bool only_checks(const ServiceOptions& options, const Pipeline& pipeline);

// A machine with what drives it.
struct Part {
  std::string name;  // Its figures are labelled with it: "assembler".
  machine::Machine& machine;
  std::vector<Link> links;
  Loop::Runner runner;
};

// A page over HTTP that shows the machine of a process; `body` is called between two of its turns.
struct Page {
  std::string path, type;
  std::function<std::string()> body;
};

struct Process {
  std::string name;             // In the log: "classifier 3".
  std::uint16_t http_port = 0;  // Where pipeline.http has an address.
  // One, or two in threads of their own, joined by inproc://.  The first heeds the signals; when it
  // is done the second is told to stop.
  std::vector<Part> parts;
  std::vector<Page> pages{};  // Of the first part.
  // At a SIGHUP, if there is one: what the process makes of the file as it now is.  `renewable` are
  // the keys that it puts into effect so.
  ModelReload::Prepare renew{};
  std::vector<std::string> renewable{};
};

// Drives the machines over their links until SIGTERM or SIGINT and drained, or `drain_max` later.
// Notes and the end go to the log, and a warning if strangers of other hosts may connect; SIGHUP
// reads the file and the keys again (runtime/reload.h); systemd, if that
// is what started the process, is told that it is up and, by a watchdog, that it is alive; figures
// and readiness are served over HTTP.  Returns the exit code: 0 drained, 1 not within its time or
// an endpoint could not be opened.
// `signals` is made before a model is loaded, so that a SIGTERM that comes meanwhile is heeded.
int serve(const Pipeline& pipeline, Signals& signals, Process process);

// A note as a line of the log.
void log_note(const machine::LogMessage& note);

// The keys of a process if its pipeline has any, else null.  Throws ConfigError.
std::shared_ptr<KeyStore> open_keys(const Pipeline& pipeline, KeyOwner owner);

// Links as pipelines use them; frame sizes are bounded by what an image may have.
Link bound_router(const std::string& endpoint, std::uint64_t frame_bytes_max,
                  std::shared_ptr<KeyStore> keys = {}, LinkName place = LinkName::producers);
Link connected_dealer(const std::string& endpoint, std::uint64_t frame_bytes_max,
                      std::shared_ptr<KeyStore> keys = {}, LinkName place = LinkName::producers);

// Whether only processes of this host can connect there.
bool within_host(const std::string& endpoint);

}  // namespace runtime
