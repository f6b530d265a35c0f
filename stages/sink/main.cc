// collage-sink: joins the answers of all stages by batch and chooses among them.
#include <string>
#include <utility>
#include <vector>

#include "runtime/loop/clock.h"
#include "runtime/loop/random_id.h"
#include "runtime/pipeline/startup.h"
#include "runtime/service/cli.h"
#include "stages/served_models.h"
#include "stages/sink/dashboard.h"

namespace {

using runtime::LinkName;

std::vector<runtime::Link> links_of(const runtime::Startup& start, std::size_t index) {
  const runtime::Pipeline::Endpoints& endpoints = start.pipeline.endpoints;
  const std::uint64_t frame_bytes_max = start.pipeline.broker.image_bytes_max;
  runtime::Link broker =
      runtime::connected_dealer(endpoints.workers, frame_bytes_max, start.keys, LinkName::workers);
  broker.send_hwm = runtime::send_hwm_for(start.pipeline.broker.open_request_max);
  return {std::move(broker), runtime::bound_router(endpoints.answers[index], frame_bytes_max,
                                                   start.keys, LinkName::answers)};
}

int run(const runtime::StartOptions& options) {
  runtime::Startup start(options, runtime::KeyOwner::sink);
  const std::vector<std::string> labels = stages::read_single(start.pipeline).class_names;
  stages::sink::Sink::Policy policy = start.pipeline.sink;
  policy.joiner.classes = labels.size();
  policy.index = static_cast<wire::SinkIndex>(options.sink);
  stages::sink::Sink machine(runtime::random_long_id<wire::WorkerId>(), policy);
  if (options.check) stages::check_collage(start.pipeline);
  if (start.only_checks()) return 0;
  const auto live = [&] { return stages::sink::dashboard_json(machine, labels, runtime::now()); };
  const auto history = [&] { return stages::sink::history_json(machine, runtime::now()); };
  const auto picture = [&] { return stages::sink::picture_bytes(machine); };
  const auto page = [] { return std::string(stages::sink::kDashboardPage); };
  // A pipeline of one sink has no number in its logs.
  const bool several = start.pipeline.endpoints.answers.size() > 1;
  return start.serve({several ? "sink " + std::to_string(options.sink) : "sink",
                      static_cast<std::uint16_t>(start.pipeline.http.sink + 10 * options.sink),
                      {{"sink", machine, links_of(start, options.sink), {}}},
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
      "  collage-sink --index 1 pipeline.yaml     the second of several sinks\n"
      "  collage-sink --check pipeline.yaml",
      "collage-sink");
  runtime::StartOptions options;
  runtime::add_start_options(app, options);
  app.add_option("--index", options.sink,
                 "Which sink of the pipeline this is: the number, from 0, of its endpoint in\n"
                 "endpoints.answers.  Its HTTP port is http.sink + 10 x index.")
      ->check(CLI::Range(std::size_t{0}, wire::kSinksMax - 1));
  return runtime::run_cli(app, argc, argv, [&options] { return run(options); });
}
