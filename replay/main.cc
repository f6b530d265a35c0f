// collage-replay: pipelines on this host, and experiments with them.
#include "replay/commands.h"
#include "runtime/tool.h"

namespace {

void add_options(CLI::App& app, replay::ReplayOptions& options) {
  app.add_option("--pipeline", options.pipeline, "What its pipelines are like otherwise.")
      ->capture_default_str();
  app.add_option("--out", options.out, "Folder for what is measured.")->capture_default_str();
  app.add_option("--seed", options.seed, "Of latencies, images, arrivals and intervals.");
  app.add_option("--batches", options.batches, "Live, a policy; 0 for none.")
      ->check(CLI::Range(0, 10'000'000));
  app.add_option("--simulated", options.simulated_batches, "Simulated, a policy; 0 for none.")
      ->check(CLI::Range(0, 10'000'000));
  app.add_option("--policies", options.policies, "Comma-separated.")->delimiter(',');
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Runs pipelines on this host and measures them.", "collage-replay");
  app.require_subcommand(1);

  replay::ReplayOptions replay;
  CLI::App* replay_app = app.add_subcommand(
      "run",
      "Runs a scenario live (real processes on this host) and simulated (the same machines\n"
      "under virtual time), under each of its policies, and reports.\n\n"
      "  collage-replay run paper-figure-4\n"
      "  collage-replay run busy-fleet --batches 0 --policies none,collage   simulated only");
  replay_app->add_option("scenario", replay.scenario, "A name in replay/scenarios, or a file.")
      ->capture_default_str();
  add_options(*replay_app, replay);

  replay::ReplayOptions demo;
  demo.out = "out/demo";
  demo.alone = true;
  CLI::App* demo_app = app.add_subcommand(
      "demo",
      "The scenario `demo`: batches of real images through a fleet of real processes whose\n"
      "answers are held by published cloud latencies, under three policies.");
  add_options(*demo_app, demo);

  replay::PipelineOptions pipeline;
  CLI::App* pipeline_app =
      app.add_subcommand("pipeline",
                         "Keeps a whole pipeline up on this host until Ctrl-C.\n\n"
                         "  collage-replay pipeline pipeline.yaml --classifiers 4");
  pipeline_app->add_option("pipeline", pipeline.pipeline, "The file that describes it.");
  pipeline_app->add_option("--classifiers", pipeline.classifiers, "s-CNN stages; 0: one a slot.")
      ->check(CLI::Range(0, 1000));
  pipeline_app->add_option("--collages", pipeline.collages, "Collage stages.")
      ->check(CLI::Range(0, 100));
  pipeline_app->add_option("--logs", pipeline.logs, "Folder for the processes' logs.");

  return runtime::run_tool(app, argc, argv, [&] {
    if (pipeline_app->parsed()) return replay::run_pipeline(pipeline);
    return replay::run_replay(demo_app->parsed() ? demo : replay);
  });
}
