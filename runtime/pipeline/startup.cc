#include "runtime/pipeline/startup.h"

#include <cstdio>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "runtime/config/config_error.h"
#include "runtime/loop/endpoint.h"
#include "runtime/pipeline/variant.h"

namespace runtime {

namespace {

// Throws ConfigError if no HTTP server of this host can listen at the address.
void check_http_address(const Pipeline& pipeline, const char* key, const std::string& address) {
  const std::string host = address.find(':') == address.npos ? address : "[" + address + "]";
  const std::string why = not_of_this_host("tcp://" + host + ":1");
  if (why.empty()) return;
  throw ConfigError(pipeline.service.file.string() + ": " + key + ": is " + in_quotes(address) +
                    ": " + why);
}

// Whoever listens may do so at every address; whoever connects needs one of them.  A gateway takes
// every address of the producers' link for its own host's.
void refuse_wildcards(const Pipeline& pipeline, KeyOwner owner) {
  const auto refuse = [&](const char* key, const std::string& endpoint) {
    const auto parts = parse_endpoint(endpoint);
    if (!parts || !is_wildcard(*parts)) return;
    throw ConfigError(pipeline.service.file.string() + ": " + key + ": is " + in_quotes(endpoint) +
                      ", to which this process cannot connect; expected the name or address of the "
                      "host that listens, such as tcp://127.0.0.1:" +
                      std::to_string(parts->port));
  };
  if (owner == KeyOwner::sink || owner == KeyOwner::stage) {
    refuse("endpoints.workers", pipeline.endpoints.workers);
  }
  if (owner != KeyOwner::stage) return;
  for (const std::string& answers : pipeline.endpoints.answers) {
    refuse("endpoints.answers", answers);
  }
}

void require_sink(const Pipeline& pipeline, std::size_t sink) {
  const std::size_t sinks = pipeline.endpoints.answers.size();
  if (sink < sinks) return;
  throw ConfigError(pipeline.service.file.string() + ": endpoints.answers: has " +
                    std::to_string(sinks) + " for sinks 0 to " + std::to_string(sinks - 1) +
                    ", none for sink " + std::to_string(sink));
}

}  // namespace

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
      keys(open_keys(pipeline.service, owner)) {
  refuse_wildcards(pipeline, owner);
  require_sink(pipeline, options.sink);
}

// A name that does not resolve would not stop a process, for it may resolve later.  Whoever asks
// for a check wants to know now.
void Startup::check_endpoints() const {
  const Pipeline::Endpoints& e = pipeline.endpoints;
  const bool broker = owner_ == KeyOwner::broker;
  std::vector<std::tuple<std::string, std::string, bool>> all = {
      {"endpoints.producers", e.producers, broker},
      {"endpoints.workers", e.workers, broker},
      {"endpoints.collage", e.collage, false}};
  for (std::size_t i = 0; i < e.answers.size(); ++i) {
    all.emplace_back("endpoints.answers", e.answers[i],
                     owner_ == KeyOwner::sink && options_.sink == i);
  }
  // The gateway is the only producer that is a process of the pipeline.
  const bool gateway = owner_ == KeyOwner::producer;
  for (const std::string& one : pipeline.gateway.brokers) {
    if (gateway) all.emplace_back("gateway.brokers", one, false);
  }
  for (const auto& [key, endpoint, listens] : all) {
    const std::string why = listens ? not_of_this_host(endpoint) : unresolved(endpoint);
    if (why.empty()) continue;
    throw ConfigError(pipeline.service.file.string() + ": " + key + ": is " + in_quotes(endpoint) +
                      ": " + why);
  }
  const std::string& http = pipeline.service.http_address;
  if (!http.empty()) check_http_address(pipeline, "http.address", http);
  if (gateway) check_http_address(pipeline, "gateway.address", pipeline.gateway.address);
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
