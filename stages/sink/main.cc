// collage-sink: joins the answers of all stages by batch and chooses among them.
#include "models/config.h"
#include "runtime/loop/clock.h"
#include "runtime/loop/random_id.h"
#include "runtime/service/cli.h"
#include "runtime/service/service.h"
#include "stages/config.h"
#include "stages/sink/dashboard.h"

int main(int argc, char** argv) {
  CLI::App app(
      "The sink of a pipeline: joins the answers of all stages by batch, and answers late or lost\n"
      "slots from the collage.\n\n"
      "  collage-sink pipeline.yaml\n"
      "  collage-sink --check pipeline.yaml",
      "collage-sink");
  runtime::ServiceOptions options;
  runtime::add_service_options(app, options);
  return runtime::run_cli(app, argc, argv, [&options] {
    runtime::Signals signals(runtime::Signals::Hangup::reloads);
    const runtime::Pipeline pipeline = runtime::load_pipeline(options.pipeline);
    stages::sink::Sink machine(runtime::random_long_id<wire::WorkerId>(),
                               stages::read_sink_policy(pipeline));
    const auto keys = runtime::open_keys(pipeline, runtime::KeyOwner::sink);
    if (runtime::only_checks(options, pipeline)) return 0;
    const std::uint64_t frame_bytes_max = pipeline.broker.image_bytes_max;
    using runtime::LinkName;
    const std::vector<runtime::Link> links = {
        runtime::connected_dealer(pipeline.endpoints.workers, frame_bytes_max, keys,
                                  LinkName::workers),
        runtime::bound_router(pipeline.endpoints.answers, frame_bytes_max, keys,
                              LinkName::answers)};
    const std::vector<std::string> labels =
        models::load_manifest(pipeline.models.single).class_names;
    const auto live = [&] { return stages::sink::live_json(machine, labels, runtime::now()); };
    const auto page = [] { return std::string(stages::sink::kDashboardPage); };
    return runtime::serve(
        pipeline, signals,
        {"sink",
         pipeline.http.sink,
         {{"sink", machine, links, {}}},
         {{"/", "text/html; charset=utf-8", page}, {"/live.json", "application/json", live}}});
  });
}
