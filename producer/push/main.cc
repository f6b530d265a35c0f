#include "producer/push/commands/push.h"
#include "runtime/service/cli.h"

int main(int argc, char** argv) {
  CLI::App app("Sends images to a Collage pipeline and prints one JSON line per result.",
               "collage-push");
  producer::PushOptions options;
  producer::add_push_options(app, options);
  return runtime::run_cli(app, argc, argv, [&options] { return producer::push(options); });
}
