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
  collage-keys make keys --broker b1 --sink s1,s2 --stages h1,h2 --producers p1
  collage-keys make keys --broker here --sink here --stages here --producers here
  collage-keys new broker.secret          makes a pair to replace an old one; prints the public key
  collage-keys public broker.secret
  collage-keys check /etc/collage/pipeline.yaml

`make` writes one folder per host.  Copy keys/h1 to the host h1, and nothing else, as
/etc/collage/keys, owned by the user collage.  If you run `make` again with more hosts, it adds the
files that these need and changes no existing file.

Exit code: 0 on success; 2 on an error, with the reason on standard error.)";

int check(const std::string& file) {
  const runtime::Pipeline pipeline = runtime::load_pipeline(file);
  if (!pipeline.service.keys) {
    throw runtime::ConfigError(file + ": has no security.keys, expected a folder of keys");
  }
  std::fputs(runtime::describe_keys(*pipeline.service.keys).c_str(), stdout);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Makes, prints and checks the keys of a pipeline.", "collage-keys");
  app.require_subcommand(1);
  app.footer(kFooter);
  std::string path;
  runtime::KeyHosts hosts;
  CLI::App* make = app.add_subcommand("make", "Make all keys of a pipeline, one folder per host.");
  make->add_option("folder", path, "The folder to write; existing files are not changed.")
      ->required();
  make->add_option("--broker", hosts.broker, "The host of the broker.")->required();
  make->add_option("--sink", hosts.sinks, "The hosts of sinks; they have one pair.")
      ->delimiter(',')
      ->required();
  make->add_option("--stages", hosts.stages, "The hosts of stages.")->delimiter(',')->required();
  make->add_option("--producers", hosts.producers, "The hosts of producers.")->delimiter(',');
  make->add_option("--assembler", hosts.assembler,
                   "The host of the assembler, if endpoints.collage is tcp://.");
  CLI::App* fresh = app.add_subcommand("new", "Make one pair and print its public key.");
  fresh->add_option("file", path, "The file to write; it must not exist.")->required();
  CLI::App* shared = app.add_subcommand("public", "Print the public key of a pair.");
  shared->add_option("file", path, "The file of the pair.")->required();
  CLI::App* checked = app.add_subcommand("check", "Check and describe the keys of a pipeline.");
  checked->add_option("file", path, "The pipeline.yaml that names the keys.")->required();
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
