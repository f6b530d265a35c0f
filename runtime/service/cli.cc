#include "runtime/service/cli.h"

#include <cstdio>
#include <exception>

#include "runtime/service/cli_pages.h"
#include "runtime/service/version.h"

namespace runtime {

int run_cli(CLI::App& app, int argc, char** argv, const std::function<int()>& body) {
  constexpr int kCannotStart = 2;  // Apart from 1, so that a supervisor does not try again.
  app.set_version_flag("--version", version_text());
  app.option_defaults()->always_capture_default();  // --help then prints every default.
  if (const auto page = requested_page(app, argc, argv)) {
    return std::fputs(page->c_str(), stdout) < 0 ? kCannotStart : 0;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
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
