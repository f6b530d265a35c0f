// collage-replay: pipelines on this host, and experiments with them.
#include "replay/commands.h"
#include "runtime/tool.h"

int main(int argc, char** argv) {
  CLI::App app("Runs pipelines on this host and measures them.", "collage-replay");
  app.require_subcommand(1);

  replay::DemoOptions demo;
  CLI::App* demo_app = app.add_subcommand(
      "demo",
      "Pushes batches of real images through a fleet of real processes whose answers are held\n"
      "by published cloud latencies, under each policy, and reports.\n\n"
      "  collage-replay demo --policies none,hedge,collage --batches 200");
  demo_app->add_option("--pipeline", demo.pipeline, "The pipeline to start.");
  demo_app->add_option("--latency", demo.latency, "Quantile table (quantile,seconds).");
  demo_app->add_option("--out", demo.out, "Folder for summary.json, report.html and logs.");
  demo_app->add_option("--images", demo.images, "Folder for the images, a folder a class.");
  demo_app->add_option("--seed", demo.seed, "Of latencies, images and intervals.");
  demo_app->add_option("--batches", demo.batches, "A policy, 1 to 1111.")
      ->check(CLI::Range(1, 1111));
  demo_app->add_option("--simulated", demo.simulated_batches, "Batches a policy; 0 for none.")
      ->check(CLI::Range(0, 10'000'000));
  demo_app->add_option("--policies", demo.policies, "Comma-separated.")->delimiter(',');

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
    return demo_app->parsed() ? replay::run_demo(demo) : replay::run_pipeline(pipeline);
  });
}
