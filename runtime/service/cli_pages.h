// A program's manual page and its completion in bash, made from its own command line, so that both
// are as right as --help.
//
// Every program prints them (run_cli): packages/documents.cmake calls it once it has been built.
//
//     collage-broker --manual-page > collage-broker.1
//     collage-broker --bash-completion > completions/collage-broker
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

namespace runtime {

// Returns the manual page of `app` in the man macros of roff: name, description, verbs with their
// options, options, and the sections of its footer ("Examples:" begins one).  Indented lines of
// descriptions are examples and stay as they are.
std::string manual_page(const CLI::App& app);

// Returns a script for bash that completes the verbs and options of `app`, the values of options
// that have a fixed set of them, and file names otherwise.
std::string bash_completion(const CLI::App& app);

// Returns what the arguments ask for, if they are --manual-page or --bash-completion alone.  These
// two are for packagers; --help does not list them.
std::optional<std::string> requested_page(const CLI::App& app, int argc, char** argv);

}  // namespace runtime
