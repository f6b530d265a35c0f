// The verbs of collage-train.  Each adds itself to the command line and runs when it is chosen.
//
// A verb that cannot do its work throws std::exception with one line for the user.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace models {

// `command_line` is what the user typed; it is kept with the weights.
void add_train_command(CLI::App& app, const std::string& command_line);
void add_from_command(CLI::App& app, const std::string& command_line);
void add_export_command(CLI::App& app);
void add_manifest_command(CLI::App& app);
void add_check_command(CLI::App& app);
void add_eval_command(CLI::App& app);
void add_compare_command(CLI::App& app);
void add_quantise_command(CLI::App& app);
void add_tile_command(CLI::App& app);

}  // namespace models
