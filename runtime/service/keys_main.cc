// collage-keys: makes, shows and checks the keys of a pipeline.
#include <cstdio>

#include "runtime/config/config_error.h"
#include "runtime/pipeline/pipeline.h"
#include "runtime/security/key_tree.h"
#include "runtime/security/keys.h"
#include "runtime/service/cli.h"

namespace {

constexpr const char* kFooter = R"(
Examples:
  collage-keys make keys --broker b1 --sink s1 --stages h1,h2 --producers p1
  collage-keys make keys --broker here --sink here --stages here --producers here
  collage-keys new broker.secret          a pair to replace one with; prints its public half
  collage-keys public broker.secret
  collage-keys check /etc/collage/pipeline.yaml

`make` writes a folder for each host, which is all that this host may have: copy keys/h1 to h1 as
/etc/collage/keys, owned by the user collage.  Run again with more hosts it writes what they need and
changes nothing that is there.

Exit code: 0, or 2 with the reason on standard error.)";

int check(const std::string& file) {
  const runtime::Pipeline pipeline = runtime::load_pipeline(file);
  if (!pipeline.service.keys) throw runtime::ConfigError(file + ": has no security.keys");
  std::fputs(runtime::describe_keys(*pipeline.service.keys).c_str(), stdout);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("The keys that the processes of a pipeline know each other by.", "collage-keys");
  app.require_subcommand(1);
  app.footer(kFooter);
  std::string path;
  runtime::KeyHosts hosts;
  CLI::App* make = app.add_subcommand("make", "All keys of a pipeline, a folder for each host.");
  make->add_option("folder", path, "Where; what is there stays as it is.")->required();
  make->add_option("--broker", hosts.broker, "The broker's host.")->required();
  make->add_option("--sink", hosts.sink, "The sink's host.")->required();
  make->add_option("--stages", hosts.stages, "Hosts of stages.")->delimiter(',')->required();
  make->add_option("--producers", hosts.producers, "Hosts of producers.")->delimiter(',');
  make->add_option("--assembler", hosts.assembler, "Its host, if endpoints.collage is tcp://.");
  CLI::App* fresh = app.add_subcommand("new", "One pair; prints its public key.");
  fresh->add_option("file", path, "To be written, and not there yet.")->required();
  CLI::App* shared = app.add_subcommand("public", "The public key of a pair.");
  shared->add_option("file", path, "Of the pair.")->required();
  CLI::App* checked = app.add_subcommand("check", "What the keys of a pipeline.yaml are.");
  checked->add_option("file", path, "The pipeline's.")->required();
  return runtime::run_cli(app, argc, argv, [&] {
    if (make->parsed()) {
      std::printf("%zu files written\n", runtime::make_key_tree(path, hosts));
      return 0;
    }
    if (checked->parsed()) return check(path);
    if (fresh->parsed()) runtime::write_key_pair(path, runtime::new_key_pair());
    std::printf("%s\n", runtime::read_key_pair(path).shared.text().c_str());
    return 0;
  });
}
