#include "runtime/pipeline/startup.h"

#include <cstdio>
#include <string>
#include <tuple>
#include <utility>

#include "runtime/config/config_error.h"
#include "runtime/loop/endpoint.h"
#include "runtime/pipeline/variant.h"

namespace runtime {

void add_start_options(CLI::App& app, StartOptions& options) {
  app.add_option("pipeline", options.pipeline, "The file that describes the pipeline.");
  app.add_flag("--check", options.check, "Validate the file and what it names, then exit.");
  app.add_flag("--print-config", options.print_config,
               "Validate, print every key with its value and the line that sets it, then exit.");
}

Startup::Startup(const StartOptions& options, KeyOwner owner)
    : signals_(Signals::Hangup::reloads),
      options_(options),
      owner_(owner),
      pipeline(load_pipeline(options.pipeline)),
      keys(open_keys(pipeline.service, owner)) {}

// A name that does not resolve would not stop a process, for it may resolve later.  Whoever asks
// for a check wants to know now.
void Startup::check_endpoints() const {
  const Pipeline::Endpoints& e = pipeline.endpoints;
  const bool broker = owner_ == KeyOwner::broker;
  const std::tuple<std::string, std::string, bool> all[] = {
      {"producers", e.producers, broker},
      {"workers", e.workers, broker},
      {"answers", e.answers, owner_ == KeyOwner::sink},
      {"collage", e.collage, false}};
  for (const auto& [key, endpoint, listens] : all) {
    const std::string why = listens ? not_of_this_host(endpoint) : unresolved(endpoint);
    if (why.empty()) continue;
    throw ConfigError(pipeline.service.file.string() + ": endpoints." + key + ": is " +
                      in_quotes(endpoint) + ": " + why);
  }
  const std::string& http = pipeline.service.http_address;
  if (http.empty()) return;
  const std::string why =
      not_of_this_host("tcp://" + (http.find(':') == http.npos ? http : "[" + http + "]") + ":1");
  if (why.empty()) return;
  throw ConfigError(pipeline.service.file.string() + ": http.address: is " + in_quotes(http) +
                    ": " + why);
}

bool Startup::only_checks() const {
  if (options_.check) check_endpoints();
  if (options_.print_config) std::fputs(resolved_text(pipeline).c_str(), stdout);
  return options_.check || options_.print_config;
}

int Startup::serve(Process process) {
  process.load = [file = pipeline.service.file] { return load_pipeline(file).service; };
  return runtime::serve(pipeline.service, signals_, std::move(process));
}

}  // namespace runtime
