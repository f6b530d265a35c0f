// What every command-line program of the project does alike.
//
//     int main(int argc, char** argv) {
//       CLI::App app("Answers N images from N stages.", "collage-broker");
//       ...options...
//       return runtime::run_cli(app, argc, argv, [&] { ...; return 0; });
//     }
//
// Exit codes: 0 done; 1 the work failed; 2 it could not start (arguments, configuration, model).
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace runtime {

// Adds --version, parses, and runs the body.  A ConfigError or any other exception is printed as
// one line and makes 2; so do wrong arguments.
int run_cli(CLI::App& app, int argc, char** argv, const std::function<int()>& body);

}  // namespace runtime
