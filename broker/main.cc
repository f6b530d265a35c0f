// collage-broker: admits images, dispatches them, and answers each exactly once.
#include <spdlog/spdlog.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "broker/broker.h"
#include "broker/policy_reader.h"
#include "models/serving/class_names.h"
#include "runtime/loop/random_id.h"
#include "runtime/pipeline/startup.h"
#include "runtime/service/cli.h"
#include "runtime/service/heap.h"

namespace {

using runtime::LinkName;

std::vector<runtime::Link> links_of(const runtime::Startup& start) {
  const runtime::Pipeline::Endpoints& endpoints = start.pipeline.endpoints;
  const std::uint64_t frame_bytes_max = start.pipeline.broker.image_bytes_max;
  // Producers get twice the room: an image that is a little too large is then refused with a
  // reason, while a larger frame costs its sender the connection.
  runtime::Link producers = runtime::bound_router(endpoints.producers, 2 * frame_bytes_max,
                                                  start.keys, LinkName::producers);
  producers.send_hwm = runtime::send_hwm_for(start.pipeline.broker.producer_credit);
  runtime::Link workers =
      runtime::bound_router(endpoints.workers, frame_bytes_max, start.keys, LinkName::workers);
  workers.send_hwm = runtime::send_hwm_for(start.pipeline.broker.open_request_max);
  return {std::move(producers), std::move(workers)};
}

// A weight under a name that no producer can have is most likely mistyped.
void warn_of_unknown_names(const runtime::Startup& start) {
  std::set<std::string> names;
  if (start.keys) {
    for (const auto& [key, owner] : start.keys->now()->allowed) {
      if (owner.role == runtime::KeyName::Role::producer) names.insert(owner.name);
    }
  }
  for (const auto& [name, weight] : start.pipeline.broker.weights) {
    if (names.contains(name) || broker::is_producer_id(name)) continue;
    spdlog::warn("broker.weights.{}: no producer has a key of this name, nor is it a producer's id",
                 name);
  }
}

int run(const runtime::StartOptions& options) {
  runtime::Startup start(options, runtime::KeyOwner::broker);
  broker::Policy policy = start.pipeline.broker;
  policy.labels = models::load_class_names(start.pipeline.models.single);
  broker::Broker machine(std::move(policy), runtime::random_id<wire::Epoch>());
  if (start.only_checks()) return 0;
  warn_of_unknown_names(start);
  return start.serve(
      {"broker", start.pipeline.http.broker, {{"broker", machine, links_of(start), {}}}});
}

}  // namespace

int main(int argc, char** argv) {
  runtime::return_large_blocks();
  CLI::App app(
      "The broker of a pipeline: admits images from producers, groups and dispatches them to\n"
      "stages, and answers each exactly once.\n\n"
      "  collage-broker pipeline.yaml\n"
      "  collage-broker --check pipeline.yaml",
      "collage-broker");
  runtime::StartOptions options;
  runtime::add_start_options(app, options);
  return runtime::run_cli(app, argc, argv, [&options] { return run(options); });
}
