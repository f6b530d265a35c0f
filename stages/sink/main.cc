// collage-sink: joins the answers of all stages by batch and chooses among them.
#include "runtime/loop/clock.h"
#include "runtime/loop/random_id.h"
#include "runtime/pipeline/startup.h"
#include "runtime/service/cli.h"
#include "stages/served_models.h"
#include "stages/sink/dashboard.h"

namespace {

using runtime::LinkName;

std::vector<runtime::Link> links_of(const runtime::Startup& start) {
  const runtime::Pipeline::Endpoints& endpoints = start.pipeline.endpoints;
  const std::uint64_t frame_bytes_max = start.pipeline.broker.image_bytes_max;
  return {
      runtime::connected_dealer(endpoints.workers, frame_bytes_max, start.keys, LinkName::workers),
      runtime::bound_router(endpoints.answers, frame_bytes_max, start.keys, LinkName::answers)};
}

int run(const runtime::StartOptions& options) {
  runtime::Startup start(options, runtime::KeyOwner::sink);
  const std::vector<std::string> labels = stages::read_single(start.pipeline).class_names;
  stages::sink::Sink::Policy policy = start.pipeline.sink;
  policy.joiner.classes = labels.size();
  stages::sink::Sink machine(runtime::random_long_id<wire::WorkerId>(), policy);
  if (start.only_checks()) return 0;
  const auto live = [&] { return stages::sink::dashboard_json(machine, labels, runtime::now()); };
  const auto history = [&] { return stages::sink::history_json(machine, runtime::now()); };
  const auto picture = [&] { return stages::sink::picture_bytes(machine); };
  const auto page = [] { return std::string(stages::sink::kDashboardPage); };
  return start.serve({"sink",
                      start.pipeline.http.sink,
                      {{"sink", machine, links_of(start), {}}},
                      {{"/", "text/html; charset=utf-8", page},
                       {"/live.json", "application/json", live},
                       {"/history.json", "application/json", history},
                       {"/picture.bin", "application/octet-stream", picture}}});
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "The sink of a pipeline: joins the answers of all stages by batch, and answers late or lost\n"
      "slots from the collage.\n\n"
      "  collage-sink pipeline.yaml\n"
      "  collage-sink --check pipeline.yaml",
      "collage-sink");
  runtime::StartOptions options;
  runtime::add_start_options(app, options);
  return runtime::run_cli(app, argc, argv, [&options] { return run(options); });
}
