// The common part of every command-line program: --version, parsing, errors and exit codes.
//
//     int main(int argc, char** argv) {
//       CLI::App app("Answers N images from N stages.", "collage-broker");
//       ...options...
//       return runtime::run_cli(app, argc, argv, [&] { ...; return 0; });
//     }
//
// Exit codes: 0 success; 1 the work failed; 2 the program could not start (arguments,
// configuration, model).
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace runtime {

// Adds --version, parses the arguments and runs `body`.  Returns what `body` returns; 2 for invalid
// arguments, and for any exception, which is printed as one line.
int run_cli(CLI::App& app, int argc, char** argv, const std::function<int()>& body);

}  // namespace runtime
