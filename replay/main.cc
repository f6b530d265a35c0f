// collage-replay: pipelines on this host, and experiments with them.
#include "replay/commands/commands.h"
#include "runtime/service/cli.h"

int main(int argc, char** argv) {
  CLI::App app("Runs pipelines on this host and measures them.", "collage-replay");
  app.require_subcommand(1);
  replay::Verbs verbs;
  replay::add_run_command(app, verbs);
  replay::add_demo_command(app, verbs);
  replay::add_report_command(app, verbs);
  replay::add_compare_command(app, verbs);
  replay::add_join_command(app, verbs);
  replay::add_record_command(app, verbs);
  replay::add_sim_command(app, verbs);
  replay::add_pipeline_command(app, verbs);
  replay::add_trace_command(app, verbs);
  return runtime::run_cli(app, argc, argv, [&] {
    for (const replay::Verb& verb : verbs) {
      if (verb.app->parsed()) return verb.run();
    }
    return 2;  // Not reached: the command line requires a verb.
  });
}
