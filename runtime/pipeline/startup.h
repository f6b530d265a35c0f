// Starts a process of a pipeline: signals, configuration, keys, then the service.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>

#include "runtime/pipeline/pipeline.h"
#include "runtime/security/keyring.h"
#include "runtime/service/install_paths.h"
#include "runtime/service/service.h"

namespace runtime {

// The command line of every pipeline process.
struct StartOptions {
  std::filesystem::path pipeline = default_pipeline();
  bool check = false;         // True to validate and exit.
  bool print_config = false;  // True to validate, print every key with its value, and exit.
  std::size_t sink = 0;       // Of a sink: which of endpoints.answers is its own.
};

// Adds the pipeline file, --check, --print-config and their help.
void add_start_options(CLI::App& app, StartOptions& options);

// Use:
//
//     runtime::Startup start(options, runtime::KeyOwner::sink);
//     ...build the machine from start.pipeline; this validates what it names...
//     if (start.only_checks()) return 0;
//     return start.serve({"sink", start.pipeline.http.sink, parts});
class Startup {
 public:
  // Handles signals from here on.  Throws ConfigError if the file or its keys are not valid, or if
  // the pipeline has no such sink.
  Startup(const StartOptions& options, KeyOwner owner);

  // Returns true if --check or --print-config was given, that is, the process should exit now.
  // Prints the configuration for the latter.  Call it after everything has been validated.  Throws
  // ConfigError if --check was given and an endpoint cannot be used: a name does not resolve, or an
  // address that this process would listen at is not one of this host.
  bool only_checks() const;

  // Runs the process (service.h); `process.load` is filled in.
  int serve(Process process);

 private:
  void check_endpoints() const;

  Signals signals_;
  const StartOptions options_;
  const KeyOwner owner_;

 public:
  const Pipeline pipeline;
  const std::shared_ptr<KeyStore> keys;  // Null for plain connections.
};

}  // namespace runtime
