// The classifier as a process: its machine, libvips and LibTorch tied together.
#include <memory>
#include <new>
#include <utility>

#include "imaging/decode.h"
#include "imaging/library.h"
#include "runtime/loop/clock.h"
#include "runtime/loop/random_id.h"
#include "runtime/service/location.h"
#include "stages/classifier/classifier.h"
#include "stages/commands/served_network.h"
#include "stages/commands/sink_links.h"
#include "stages/commands/stage_commands.h"
#include "stages/emulation_reader.h"
#include "stages/served_models.h"

namespace stages {
namespace {

// Decodes and classifies one image.
machine::Outcome classify_image(const models::Network& network, const imaging::Limits& limits,
                                std::size_t top_k, const machine::Classify& job) {
  machine::Outcome outcome;
  outcome.version = network.manifest().version;
  outcome.what = wire::Verdict{};
  try {
    const auto picture = imaging::decode(job.image.bytes(), network.manifest().target(), limits);
    if (!picture) {
      outcome.what = wire::Verdict{{}, picture.error()};
      return outcome;
    }
    const wire::Instant begun = runtime::now();
    outcome.what = network.classify(*picture, top_k);
    outcome.compute = runtime::now() - begun;
  } catch (const std::bad_alloc&) {
    say_out_of_memory();  // Without a verdict the task has failed, and the image goes elsewhere.
  }
  return outcome;
}

std::vector<runtime::Link> links_of(const runtime::Startup& start) {
  const runtime::Pipeline::Endpoints& endpoints = start.pipeline.endpoints;
  const std::uint64_t frame_bytes_max = start.pipeline.broker.image_bytes_max;
  std::vector<runtime::Link> links = {runtime::connected_dealer(
      endpoints.workers, frame_bytes_max, start.keys, runtime::LinkName::workers)};
  add_sink_links(start.pipeline, frame_bytes_max, start.keys, links);
  return links;
}

}  // namespace

int run_classifier(const StageOptions& options) {
  runtime::Startup start(options.start, runtime::KeyOwner::stage);
  const runtime::Pipeline& pipeline = start.pipeline;
  SharedNetwork network = load_network(read_single(pipeline));
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
      network->manifest().model(), pipeline.stages.classifier_capacity,
      runtime::process_location(static_cast<std::uint32_t>(options.index))};
  classifier::Classifier machine(hello, pipeline.stages.membership, std::move(emulation),
                                 pipeline.endpoints.answers.size());
  machine.set_model(network->manifest().version, network->form());
  const auto runner = [&](machine::Work work) {
    return classify_image(*network, limits, pipeline.top_k, std::get<machine::Classify>(work.job));
  };
  const auto renew = [&]() -> runtime::ModelReload::Swap {
    const runtime::Pipeline fresh = runtime::load_pipeline(pipeline.service.file);
    models::Manifest manifest = read_single(fresh);
    const models::Manifest& serving = network->manifest();
    if (answer_alike(manifest, serving)) return {serving.version + " serves on", {}};
    require_same_shape(serving, manifest, fresh.models.single);
    const std::string change = manifest.version + " takes over from " + serving.version;
    const SharedNetwork next = load_network(std::move(manifest));
    say_form(*next);
    return {change, {[&, next] {
              network = next;
              machine.set_model(next->manifest().version, next->form());
            }}};
  };
  return start.serve({.name = "classifier " + std::to_string(options.index),
                      .http_port = port(pipeline.http.classifier, options),
                      .parts = {{"classifier", machine, links_of(start), runner}},
                      .renew = renew,
                      .renewable = {"models.single"}});
}

}  // namespace stages
