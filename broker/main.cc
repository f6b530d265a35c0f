// collage-broker: admits images, dispatches them, and answers each exactly once.
#include "broker/broker.h"
#include "broker/policy_reader.h"
#include "runtime/loop/random_id.h"
#include "runtime/service/cli.h"
#include "runtime/service/service.h"

int main(int argc, char** argv) {
  CLI::App app(
      "The broker of a pipeline: admits images from producers, groups and dispatches them to\n"
      "stages, and answers each exactly once.\n\n"
      "  collage-broker pipeline.yaml\n"
      "  collage-broker --check pipeline.yaml",
      "collage-broker");
  runtime::ServiceOptions options;
  runtime::add_service_options(app, options);
  return runtime::run_cli(app, argc, argv, [&options] {
    runtime::Signals signals(runtime::Signals::Hangup::reloads);
    const runtime::Pipeline pipeline = runtime::load_pipeline(options.pipeline);
    broker::Broker machine(broker::read_policy(pipeline), runtime::random_id<wire::Epoch>());
    const auto keys = runtime::open_keys(pipeline, runtime::KeyOwner::broker);
    if (runtime::only_checks(options, pipeline)) return 0;
    const std::uint64_t frame_bytes_max = pipeline.broker.image_bytes_max;
    using runtime::LinkName;
    // Room above the limit: an image that is a little too large is refused by name; only the absurd
    // has its connection cut.
    const std::vector<runtime::Link> links = {
        runtime::bound_router(pipeline.endpoints.producers, 2 * frame_bytes_max, keys,
                              LinkName::producers),
        runtime::bound_router(pipeline.endpoints.workers, frame_bytes_max, keys,
                              LinkName::workers)};
    return runtime::serve(pipeline, signals,
                          {"broker", pipeline.http.broker, {{"broker", machine, links, {}}}});
  });
}
