// The classifier as a process: its machine, libvips and LibTorch tied together.
#include <algorithm>
#include <memory>
#include <utility>

#include "imaging/library.h"
#include "runtime/loop/log.h"
#include "runtime/loop/random_id.h"
#include "runtime/service/location.h"
#include "runtime/service/processes.h"
#include "stages/classifier/classifier.h"
#include "stages/commands/classify_images.h"
#include "stages/commands/served_network.h"
#include "stages/commands/sink_links.h"
#include "stages/commands/stage_commands.h"
#include "stages/emulation_reader.h"
#include "stages/served_models.h"

namespace stages {
namespace {

std::vector<runtime::Link> links_of(const runtime::Startup& start) {
  const runtime::Pipeline::Endpoints& endpoints = start.pipeline.endpoints;
  const std::uint64_t frame_bytes_max = start.pipeline.broker.image_bytes_max;
  std::vector<runtime::Link> links = {runtime::connected_dealer(
      endpoints.workers, frame_bytes_max, start.keys, runtime::LinkName::workers)};
  add_sink_links(start.pipeline, frame_bytes_max, start.keys, links);
  return links;
}

// While a stage works on some images, others wait: of those that it may hold each takes half.
models::ServingPolicy policy_of(const runtime::Pipeline& pipeline) {
  return serving_policy(
      pipeline, std::max<std::size_t>(1, pipeline.stages.classifier_capacity.value_or(1) / 2));
}

SharedNetwork load_single(models::Manifest manifest, const runtime::Pipeline& pipeline) {
  return load_network(std::move(manifest), policy_of(pipeline));
}

// A network that is in memory before the processes that serve it begin.
struct Loaded {
  SharedNetwork network;
  models::ServingPolicy policy;
};

// The network that the configuration names: `loaded`, if that is not null and is this network.
SharedNetwork network_of(const runtime::Pipeline& pipeline, const Loaded* loaded) {
  models::Manifest manifest = read_single(pipeline);
  const bool same = loaded && loaded->policy == policy_of(pipeline) &&
                    answer_alike(manifest, loaded->network->manifest());
  return same ? loaded->network : load_single(std::move(manifest), pipeline);
}

int run_one(const StageOptions& options, const Loaded* loaded) {
  runtime::Startup start(options.start, runtime::KeyOwner::stage);
  const runtime::Pipeline& pipeline = start.pipeline;
  SharedNetwork network = network_of(pipeline, loaded);
  const std::uint32_t capacity = capacity_of(pipeline, *network);
  if (!loaded) warn_of_pace(pipeline, *network, capacity);
  auto emulation = read_emulation(pipeline, wire::Role::classifier, options.index);
  const imaging::Library library(pipeline.stages.formats);
  if (options.start.check) check_collage(pipeline);
  if (start.only_checks()) return 0;
  say_form(*network);

  const imaging::Limits limits{.pixels_max = pipeline.stages.pixels_max,
                               .side_max = pipeline.stages.side_max,
                               .formats = pipeline.stages.formats};
  const wire::WorkerHello hello{
      runtime::random_long_id<wire::WorkerId>(), wire::Role::classifier,
      network->manifest().model(), capacity,
      runtime::process_location(static_cast<std::uint32_t>(options.index))};
  classifier::Classifier machine(hello, pipeline.stages.membership, std::move(emulation),
                                 pipeline.endpoints.answers.size());
  const auto serve = [&machine](const models::Network& next) {
    machine.set_model(next.version(), next.form());
    machine.set_together(next.together());
  };
  serve(*network);
  const auto runner = [&](machine::Work work) {
    return classify_images(*network, limits, pipeline.top_k, std::get<machine::Classify>(work.job));
  };
  const auto renew = [&]() -> runtime::ModelReload::Swap {
    const runtime::Pipeline fresh = runtime::load_pipeline(pipeline.service.file);
    models::Manifest named = read_single(fresh);
    const models::Manifest& serving = network->manifest();
    if (answer_alike(named, serving)) return {serving.version + " serves on", {}};
    require_same_shape(serving, named, fresh.models.single);
    const std::string change = named.version + " takes over from " + serving.version;
    const SharedNetwork next = load_single(std::move(named), pipeline);
    say_form(*next);
    warn_of_pace(pipeline, *next, capacity);  // Which the broker knows from the hello.
    return {change, {[&, next] {
              network = next;
              serve(*next);
            }}};
  };
  return start.serve({.name = "classifier " + std::to_string(options.index),
                      .http_port = port(pipeline.http.classifier, options),
                      .parts = {{"classifier", machine, links_of(start), runner}},
                      .renew = renew,
                      .renewable = {"models.single"}});
}

}  // namespace

int run_classifier(const StageOptions& options) {
  if (options.processes == 1 || options.start.check || options.start.print_config) {
    return run_one(options, nullptr);
  }
  const runtime::Pipeline pipeline = runtime::load_pipeline(options.start.pipeline);
  runtime::start_log({.process = "classifiers",
                      .level = pipeline.service.log_level,
                      .format = pipeline.service.log_format});
  const Loaded loaded{load_single(read_single(pipeline), pipeline), policy_of(pipeline)};
  warn_of_pace(pipeline, *loaded.network, capacity_of(pipeline, *loaded.network));
  return runtime::run_processes(options.processes, "classifier", [&](std::size_t number) {
    StageOptions own = options;
    own.index += number;
    return run_one(own, &loaded);
  });
}

}  // namespace stages
