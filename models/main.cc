// collage-train: trains, exports and measures the models of the pipeline.
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>

#include "models/commands.h"
#include "runtime/version.h"

namespace {

constexpr const char* kExamples = R"(
Examples:
  collage-train train --model single                  about half an hour on two cores
  collage-train export --model single                 writes models/fashion_single.yaml
  collage-train train --model collage --grid 3        taught by models/fashion_single.yaml
  collage-train export --model collage --grid 3
  collage-train eval                                  a table, and out/models/eval.json

A verb with --help lists its options.  Exit code 0: done; 2: it could not be done, and one line on
standard error says why.
)";

int run(int argc, char** argv) {
  std::string command_line = "collage-train";
  for (int i = 1; i < argc; ++i) command_line += std::string(" ") + argv[i];
  CLI::App app("Trains, exports and measures the models of the collage pipeline.", "collage-train");
  app.footer(kExamples);
  app.set_version_flag("--version", runtime::version_text());
  app.require_subcommand(1);
  models::add_train_command(app, command_line);
  models::add_export_command(app);
  models::add_eval_command(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help and --version.
    throw std::runtime_error(std::string(error.what()) + " (--help says what is allowed)");
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "collage-train: " << error.what() << "\n";
    return 2;
  }
}
