#include "runtime/service/cli.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "runtime/config/suggest.h"
#include "runtime/service/cli_pages.h"
#include "runtime/service/version.h"

namespace runtime {
namespace {

// A closed standard descriptor would become the number of the next socket or file, and that would
// be read or written in its place.  Now reads of a closed input and writes to a closed output fail.
void keep_standard_descriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(descriptor, F_GETFD) >= 0) continue;
    const int mode = descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY;
    (void)open("/dev/null", mode);  // Takes the lowest number that is free: this one.
  }
}

// The options and verbs of the program and of the verb that was chosen.
std::vector<std::string> words(const CLI::App& app) {
  std::vector<std::string> known;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
  }
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; })) {
    known.push_back(verb->get_name());
    if (!verb->parsed()) continue;
    for (std::string& word : words(*verb)) known.push_back(std::move(word));
  }
  return known;
}

// Prints "did you mean" for the arguments that are not known.
void suggest(const CLI::App& app) {
  const std::vector<std::string> known = words(app);
  for (const std::string& argument : app.remaining(true)) {
    const std::string word = argument.substr(0, argument.find('='));
    if (const auto meant = nearest(word, known); meant && *meant != word) {
      std::fprintf(stderr, "%s: did you mean %s?\n", word.c_str(), meant->c_str());
    }
  }
}

}  // namespace

int run_cli(CLI::App& app, int argc, char** argv, const std::function<int()>& body) {
  constexpr int kCannotStart = 2;  // Apart from 1, so that a supervisor does not try again.
  keep_standard_descriptors();
  app.set_version_flag("--version", version_text());
  app.option_defaults()->always_capture_default();  // --help then prints every default.
  if (const auto page = requested_page(app, argc, argv)) {
    return std::fputs(page->c_str(), stdout) < 0 ? kCannotStart : 0;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) suggest(app);
    return app.exit(error) == 0 ? 0 : kCannotStart;
  }
  try {
    return body();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return kCannotStart;
  }
}

}  // namespace runtime
