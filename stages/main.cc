// collage-stage: one classifier, or a collage stage.
#include "runtime/service/cli.h"
#include "stages/commands/stage_commands.h"

int main(int argc, char** argv) {
  CLI::App app(
      "A stage of a pipeline.\n\n"
      "  collage-stage classifier pipeline.yaml --index 3\n"
      "  collage-stage classifier pipeline.yaml --processes 4\n"
      "  collage-stage collage pipeline.yaml",
      "collage-stage");
  app.require_subcommand(1);
  stages::StageOptions options;
  int (*run)(const stages::StageOptions&) = nullptr;
  const auto add = [&](const char* name, const char* what,
                       int (*verb)(const stages::StageOptions&)) {
    CLI::App* command = app.add_subcommand(name, what);
    runtime::add_start_options(*command, options.start);
    command->add_option("--index", options.index,
                        "Which of its kind: names it in the log, seeds its emulated latencies.");
    command->callback([&run, verb] { run = verb; });
    return command;
  };
  add("classifier", "A single-image CNN: one image in, one answer out.", stages::run_classifier)
      ->add_option("--processes", options.processes,
                   "So many processes that have the network in memory once, with indices from\n"
                   "--index on; whichever ends by itself begins anew.")
      ->check(CLI::Range(1, 100));
  add("collage", "Assembler and collage-CNN in one process.", stages::run_collage);
  add("assembler", "The assembler alone (endpoints.collage is tcp://).", stages::run_assembler);
  add("collage-cnn", "The collage-CNN alone (endpoints.collage is tcp://).",
      stages::run_collage_cnn);
  return runtime::run_cli(app, argc, argv, [&] { return run(options); });
}
