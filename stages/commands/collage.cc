// The collage stage as processes: assembler and collage-CNN, together or apart.
#include <algorithm>
#include <functional>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "imaging/decode.h"
#include "imaging/library.h"
#include "imaging/tile.h"
#include "models/serving/network.h"
#include "runtime/config/config_error.h"
#include "runtime/loop/clock.h"
#include "runtime/loop/random_id.h"
#include "runtime/service/location.h"
#include "stages/collage/assembler.h"
#include "stages/collage/collage_worker.h"
#include "stages/commands/served_network.h"
#include "stages/commands/sink_links.h"
#include "stages/commands/stage_commands.h"
#include "stages/emulation_reader.h"
#include "stages/served_models.h"

namespace stages {
namespace {

using collage::Assembler;
using collage::CollageWorker;

// The broker gives batches to the assembler, whose collages wait for the collage-CNN.
std::size_t tasks_of(const runtime::Pipeline& pipeline) {
  return std::max(pipeline.stages.batches_max, pipeline.stages.collage_capacity);
}

// Decodes one image at the size of a tile and pastes it into its slot.
machine::Pasted pasted(const models::Manifest& manifest, const imaging::Limits& limits,
                       machine::Paste& job) {
  const models::TileShape& tile = manifest.tile;
  const imaging::Grid grid = manifest.layout();
  const auto picture = imaging::decode(job.image.bytes(), manifest.target(), limits);
  if (!picture) return {std::move(job.canvas), picture.error()};
  auto canvas = job.canvas.empty() ? imaging::new_canvas(grid, tile.channels)
                                   : std::move(job.canvas).release();
  imaging::paste(canvas, grid, tile.channels, job.slot, *picture);
  return {wire::Payload(std::move(canvas)), wire::Reason::none};
}

machine::Outcome paste(const models::Manifest& manifest, const imaging::Limits& limits,
                       machine::Paste job) {
  machine::Outcome outcome;
  try {
    outcome.what = pasted(manifest, limits, job);
  } catch (const std::bad_alloc&) {
    say_out_of_memory();
    outcome.what = machine::Pasted{std::move(job.canvas), wire::Reason::none, true};
  }
  return outcome;
}

machine::Outcome classify_canvas(const models::Network& network, std::size_t top_k,
                                 const machine::ClassifyCollage& job) {
  machine::Outcome outcome;
  outcome.version = network.version();
  // Over tcp:// an assembler of another build could send a picture of another size.
  if (job.picture.size() != network.manifest().input().bytes() ||
      job.blank.size() != static_cast<std::size_t>(network.manifest().slots())) {
    outcome.what = machine::Cells{};
    return outcome;
  }
  const wire::Instant begun = runtime::now();
  try {
    outcome.what = network.classify_collage(job.picture.bytes(), job.blank, top_k);
  } catch (const std::bad_alloc&) {
    say_out_of_memory();
    outcome.what = machine::Cells{};
  }
  outcome.compute = runtime::now() - begun;
  return outcome;
}

std::optional<collage::PictureForm> shown_form(const runtime::Pipeline& pipeline,
                                               const models::Manifest& manifest) {
  if (!pipeline.sink.show_pictures) return std::nullopt;
  const auto input = manifest.input();
  const std::uint64_t frame_bytes_max = pipeline.broker.image_bytes_max;
  return collage::PictureForm{static_cast<std::uint32_t>(input.width),
                              static_cast<std::uint32_t>(input.height),
                              static_cast<std::uint32_t>(input.channels), frame_bytes_max};
}

// In one process with its collage-CNN both have one id, so that the broker's word on the worker and
// the sink's answers of it meet.
Assembler make_assembler(const runtime::Pipeline& pipeline, const models::Manifest& manifest,
                         wire::WorkerId id, std::uint32_t index) {
  const wire::WorkerHello hello{id, wire::Role::assembler, manifest.model(),
                                pipeline.stages.batches_max, runtime::process_location(index)};
  return Assembler(hello, runtime::random_id<wire::Epoch>(),
                   {pipeline.stages.membership, pipeline.broker.heartbeat,
                    shown_form(pipeline, manifest), pipeline.endpoints.answers.size()});
}

using Keys = std::shared_ptr<runtime::KeyStore>;

std::vector<runtime::Link> assembler_links(const runtime::Pipeline& pipeline, const Keys& keys) {
  using runtime::LinkName;
  const std::uint64_t frame_bytes_max = pipeline.broker.image_bytes_max;
  const auto& endpoints = pipeline.endpoints;
  std::vector<runtime::Link> links = {
      runtime::connected_dealer(endpoints.workers, frame_bytes_max, keys, LinkName::workers),
      runtime::bound_router(endpoints.collage, frame_bytes_max, keys, LinkName::collage)};
  add_sink_links(pipeline, frame_bytes_max, keys, links);
  return links;
}

runtime::Loop::Runner paster(const runtime::Pipeline& pipeline, const models::Manifest& manifest) {
  const imaging::Limits limits{.pixels_max = pipeline.stages.pixels_max,
                               .side_max = pipeline.stages.side_max,
                               .formats = pipeline.stages.formats};
  return [limits, &manifest](machine::Work work) {
    return paste(manifest, limits, std::move(std::get<machine::Paste>(work.job)));
  };
}

CollageWorker make_worker(const runtime::Pipeline& pipeline, const models::Manifest& manifest,
                          std::optional<Emulation> emulation, wire::WorkerId id,
                          std::uint32_t index) {
  const wire::WorkerHello hello{id, wire::Role::collage, manifest.model(),
                                pipeline.stages.collage_capacity, runtime::process_location(index)};
  return CollageWorker(hello, pipeline.stages.membership, std::move(emulation),
                       pipeline.endpoints.answers.size());
}

wire::WorkerId new_id() { return runtime::random_long_id<wire::WorkerId>(); }

std::uint32_t index_of(const StageOptions& options) {
  return static_cast<std::uint32_t>(options.index);
}

// A picture of the whole collage must fit one frame.
std::vector<runtime::Link> worker_links(const runtime::Pipeline& pipeline,
                                        const models::Manifest& manifest, const Keys& keys) {
  using runtime::LinkName;
  const std::uint64_t picture = static_cast<std::uint64_t>(manifest.input().bytes());
  const std::uint64_t frame_bytes_max = std::max<std::uint64_t>(picture, 64 * 1024);
  const auto& endpoints = pipeline.endpoints;
  std::vector<runtime::Link> links = {
      runtime::connected_dealer(endpoints.collage, frame_bytes_max, keys, LinkName::collage)};
  add_sink_links(pipeline, frame_bytes_max, keys, links);
  return links;
}

runtime::Loop::Runner collage_classifier(const runtime::Pipeline& pipeline,
                                         const SharedNetwork& network) {
  return [top_k = pipeline.top_k, &network](machine::Work work) {
    return classify_canvas(*network, top_k, std::get<machine::ClassifyCollage>(work.job));
  };
}

// Reads the pipeline again and loads its collage model if that is another one.  Each function of
// `adopt` is called with the new model on the loop of its part.
runtime::ModelReload::Swap renew_network(const runtime::Pipeline& running,
                                         const SharedNetwork& network,
                                         std::vector<std::function<void(SharedNetwork)>> adopt) {
  const runtime::Pipeline fresh = runtime::load_pipeline(running.service.file);
  models::Manifest manifest = read_collage(fresh);
  const models::Manifest& serving = network->manifest();
  if (answer_alike(manifest, serving)) return {serving.version + " serves on", {}};
  require_same_shape(serving, manifest, fresh.models.collage);
  runtime::ModelReload::Swap over{manifest.version + " takes over from " + serving.version, {}};
  const SharedNetwork next = load_network(std::move(manifest), serving_policy(running));
  say_form(*next);
  warn_of_pace(running, *next, tasks_of(running));
  for (auto& one : adopt) {
    over.each.push_back([one = std::move(one), next] { one(next); });
  }
  return over;
}

void require_endpoint(const runtime::Pipeline& pipeline, bool apart) {
  if (pipeline.endpoints.collage.starts_with("inproc://") != apart) return;
  throw runtime::ConfigError(
      pipeline.service.file.string() + ": endpoints.collage: is " + pipeline.endpoints.collage +
      (apart ? ", expected tcp:// or ipc:// for assembler and collage-cnn apart"
             : ", expected inproc:// for both in one process"));
}

std::string name(const char* role, const StageOptions& options) {
  return std::string(role) + " " + std::to_string(options.index);
}

}  // namespace

int run_assembler(const StageOptions& options) {
  runtime::Startup start(options.start, runtime::KeyOwner::stage);
  const runtime::Pipeline& pipeline = start.pipeline;
  require_endpoint(pipeline, true);
  const models::Manifest manifest = read_collage(pipeline);
  const imaging::Library library(pipeline.stages.formats);
  if (start.only_checks()) return 0;
  Assembler machine = make_assembler(pipeline, manifest, new_id(), index_of(options));
  return start.serve({.name = name("assembler", options),
                      .http_port = port(pipeline.http.collage, options),
                      .parts = {{"assembler", machine, assembler_links(pipeline, start.keys),
                                 paster(pipeline, manifest)}}});
}

int run_collage_cnn(const StageOptions& options) {
  runtime::Startup start(options.start, runtime::KeyOwner::stage);
  const runtime::Pipeline& pipeline = start.pipeline;
  require_endpoint(pipeline, true);
  SharedNetwork network = load_network(read_collage(pipeline), serving_policy(pipeline));
  warn_of_pace(pipeline, *network, tasks_of(pipeline));
  auto emulation = read_emulation(pipeline, wire::Role::collage, options.index);
  if (start.only_checks()) return 0;
  say_form(*network);
  CollageWorker machine =
      make_worker(pipeline, network->manifest(), std::move(emulation), new_id(), index_of(options));
  machine.set_model(network->version(), network->form());
  const auto adopt = [&](const SharedNetwork& next) {
    network = next;
    machine.set_model(next->version(), next->form());
  };
  return start.serve(
      {.name = name("collage-cnn", options),
       .http_port = port(pipeline.http.collage_cnn, options),
       .parts = {{"collage_cnn", machine, worker_links(pipeline, network->manifest(), start.keys),
                  collage_classifier(pipeline, network)}},
       .renew = [&] { return renew_network(pipeline, network, {adopt}); },
       .renewable = {"models.collage"}});
}

int run_collage(const StageOptions& options) {
  runtime::Startup start(options.start, runtime::KeyOwner::stage);
  const runtime::Pipeline& pipeline = start.pipeline;
  require_endpoint(pipeline, false);
  SharedNetwork network = load_network(read_collage(pipeline), serving_policy(pipeline));
  warn_of_pace(pipeline, *network, tasks_of(pipeline));
  auto emulation = read_emulation(pipeline, wire::Role::collage, options.index);
  const imaging::Library library(pipeline.stages.formats);
  if (start.only_checks()) return 0;
  say_form(*network);
  // The assembler needs only what never changes while a model is served: grid, tile size and
  // preprocessing.
  const models::Manifest manifest = network->manifest();
  const wire::WorkerId id = new_id();
  Assembler assembler = make_assembler(pipeline, manifest, id, index_of(options));
  CollageWorker worker =
      make_worker(pipeline, manifest, std::move(emulation), id, index_of(options));
  worker.set_model(network->version(), network->form());
  assembler.set_version(network->version());
  const auto rename = [&](const SharedNetwork& next) { assembler.set_version(next->version()); };
  const auto adopt = [&](const SharedNetwork& next) {
    network = next;
    worker.set_model(next->version(), next->form());
  };
  return start.serve(
      {.name = name("collage", options),
       .http_port = port(pipeline.http.collage, options),
       .parts = {{"assembler", assembler, assembler_links(pipeline, start.keys),
                  paster(pipeline, manifest)},
                 {"collage_cnn", worker, worker_links(pipeline, manifest, start.keys),
                  collage_classifier(pipeline, network)}},
       .renew =
           [&] {
             return renew_network(pipeline, network, {rename, adopt});
           },
       .renewable = {"models.collage"}});
}

}  // namespace stages
