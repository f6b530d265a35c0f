// collage-train: trains, exports and measures the models of the pipeline.
#include <algorithm>
#include <exception>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "imaging/library.h"
#include "models/research/commands/commands.h"
#include "models/serving/blas.h"
#include "runtime/config/suggest.h"
#include "runtime/service/cli_pages.h"
#include "runtime/service/version.h"

namespace {

constexpr const char* kExamples = R"(
Examples:
  collage-train train --dataset cifar10 --model single
  collage-train export --dataset cifar10 --model single   models/cifar10_single.yaml
  collage-train train --model collage --grid 3            distilled from models/fashion_single.yaml
  collage-train export --model collage --grid 3
  collage-train manifest my.pt                            my.yaml, to begin with
  collage-train check my.yaml --images photos             how an s-CNN of your own is served
  collage-train from --teacher my.pt --manifest my.yaml --images photos --grid 3
                                                          a collage for an s-CNN of your own
  collage-train eval --manifest my.yaml --collage my_collage_3x3.yaml --images others
                                                          whether it may answer for the s-CNN
  collage-train quantise my.yaml --images photos          what bfloat16 would cost it
  collage-train eval                                      a table, and out/models/eval.json
  collage-train compare                                   against the baselines
  collage-train tile --grid 4                             out/models/collages/*.png

A verb with --help lists its options.  Exit code 0: done; 2: it could not be done, and one line on
standard error gives the reason.
)";

void check_verb(CLI::App& app, const std::string& name) {
  std::vector<std::string> verbs;
  for (const CLI::App* verb : app.get_subcommands({})) verbs.push_back(verb->get_name());
  if (std::ranges::find(verbs, name) != verbs.end()) return;
  std::string all;
  for (const std::string& verb : verbs) all += (all.empty() ? "" : ", ") + verb;
  const std::optional<std::string> meant = runtime::nearest(name, verbs);
  throw std::runtime_error("there is no verb " + name + "; the verbs are " + all +
                           (meant ? "; did you mean " + *meant + "?" : ""));
}

int run(int argc, char** argv) {
  std::string command_line = "collage-train";
  for (int i = 1; i < argc; ++i) command_line += std::string(" ") + argv[i];
  const imaging::Library library;
  models::use_one_blas_thread();  // --threads is for convolutions, which are not done by BLAS.
  CLI::App app("Trains, exports and measures the models of the collage pipeline.", "collage-train");
  app.footer(kExamples);
  app.set_version_flag("--version", runtime::version_text());
  app.require_subcommand(1);
  models::add_train_command(app, command_line);
  models::add_from_command(app, command_line);
  models::add_export_command(app);
  models::add_manifest_command(app);
  models::add_check_command(app);
  models::add_eval_command(app);
  models::add_compare_command(app);
  models::add_quantise_command(app);
  models::add_tile_command(app);
  if (const auto page = runtime::requested_page(app, argc, argv)) {
    std::cout << *page;
    return 0;
  }
  if (argc > 1 && argv[1][0] != '-') check_verb(app, argv[1]);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help and --version.
    throw std::runtime_error(std::string(error.what()) + " (see --help)");
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
