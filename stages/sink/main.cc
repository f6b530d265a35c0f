// collage-sink: joins the answers of all stages by batch and chooses among them.
#include "runtime/random_id.h"
#include "runtime/service.h"
#include "runtime/tool.h"
#include "stages/config.h"

int main(int argc, char** argv) {
  CLI::App app(
      "The sink of a pipeline: joins the answers of all stages by batch, and answers late or lost\n"
      "slots from the collage.\n\n"
      "  collage-sink pipeline.yaml\n"
      "  collage-sink --check pipeline.yaml",
      "collage-sink");
  runtime::ServiceOptions options;
  runtime::add_service_options(app, options);
  return runtime::run_tool(app, argc, argv, [&options] {
    runtime::Signals signals(runtime::Signals::Hangup::reloads);
    const runtime::Pipeline pipeline = runtime::load_pipeline(options.pipeline);
    stages::sink::Sink machine(runtime::random_long_id<wire::WorkerId>(),
                               stages::read_sink_policy(pipeline));
    if (runtime::only_checks(options, pipeline)) return 0;
    const std::uint64_t frame_bytes_max = pipeline.broker.image_bytes_max;
    return runtime::serve(pipeline, "sink", signals, machine,
                          {runtime::connected_dealer(pipeline.endpoints.workers, frame_bytes_max),
                           runtime::bound_router(pipeline.endpoints.answers, frame_bytes_max)},
                          {});
  });
}
