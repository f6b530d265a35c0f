#include "runtime/pipeline/startup.h"

#include <cstdio>
#include <utility>

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
      pipeline(load_pipeline(options.pipeline)),
      keys(open_keys(pipeline.service, owner)) {}

bool Startup::only_checks() const {
  if (options_.print_config) std::fputs(resolved_text(pipeline).c_str(), stdout);
  return options_.check || options_.print_config;
}

int Startup::serve(Process process) {
  process.load = [file = pipeline.service.file] { return load_pipeline(file).service; };
  return runtime::serve(pipeline.service, signals_, std::move(process));
}

}  // namespace runtime
