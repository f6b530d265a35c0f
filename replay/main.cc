// collage-replay: pipelines on this host, and experiments with them.
#include <charconv>

#include "replay/commands.h"
#include "runtime/config/config_error.h"
#include "runtime/service/cli.h"

namespace {

void add_options(CLI::App& app, replay::ReplayOptions& options) {
  app.add_option("--pipeline", options.pipeline, "What its pipelines are like otherwise.")
      ->capture_default_str();
  app.add_option("--out", options.out, "Folder for what is measured.")->capture_default_str();
  app.add_option("--seed", options.seed, "Of latencies, images, arrivals and intervals.");
  app.add_option("--batches", options.batches, "Live, a policy; 0 for none.")
      ->check(CLI::Range(0, 10'000'000));
  app.add_option("--simulated", options.simulated_batches, "Simulated, a policy; 0 for none.")
      ->check(CLI::Range(0, 10'000'000));
  app.add_option("--policies", options.policies, "Comma-separated.")->delimiter(',');
}

// "7" or "1..1000".
void read_seeds(const std::string& text, replay::SimOptions& options) {
  const std::size_t dots = text.find("..");
  const std::string first = text.substr(0, dots);
  const std::string last = dots == text.npos ? first : text.substr(dots + 2);
  const auto read = [&](const std::string& word, std::uint64_t& value) {
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error != std::errc() || end != word.data() + word.size()) {
      throw runtime::ConfigError("--seeds: is '" + text + "', expected FIRST..LAST");
    }
  };
  read(first, options.first);
  read(last, options.last);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Runs pipelines on this host and measures them.", "collage-replay");
  app.require_subcommand(1);

  replay::ReplayOptions replay;
  CLI::App* replay_app = app.add_subcommand(
      "run",
      "Runs a scenario live (real processes on this host) and simulated (the same machines\n"
      "under virtual time), under each of its policies, and reports.\n\n"
      "  collage-replay run paper-figure-4\n"
      "  collage-replay run busy-fleet --batches 0 --policies none,collage   simulated only");
  replay_app->add_option("scenario", replay.scenario, "A name in replay/scenarios, or a file.")
      ->capture_default_str();
  add_options(*replay_app, replay);
  replay_app->add_flag("--deployed", replay.deployed,
                       "Asks the pipeline of --pipeline, which is up on whatever hosts and as the\n"
                       "scenario and its one policy want it; faults are left out.");
  replay_app->add_flag(
      "--print-pipeline", replay.print_pipeline,
      "Only prints the pipeline file that the scenario and the first policy want.");

  replay::ReplayOptions demo;
  demo.out = "out/demo";
  demo.alone = true;
  CLI::App* demo_app = app.add_subcommand(
      "demo",
      "The scenario `demo`: batches of real images through a fleet of real processes whose\n"
      "answers are held by published cloud latencies, under three policies.");
  add_options(*demo_app, demo);

  replay::ReportOptions report;
  CLI::App* report_app = app.add_subcommand(
      "report",
      "Makes the report of a run again from what it wrote (events.csv.gz, run.json).\n\n"
      "  collage-replay report out/replay/paper-figure-4-live");
  report_app->add_option("folder", report.folder, "Of the run.")->required();

  replay::CompareOptions compare;
  CLI::App* compare_app = app.add_subcommand(
      "compare",
      "Puts runs side by side: a table, and one page with all their plots.\n\n"
      "  collage-replay compare out/replay/busy-fleet-sim out/replay/paper-figure-4-sim");
  compare_app->add_option("folders", compare.folders, "Of the runs; ratios are to the first.")
      ->required();
  compare_app->add_option("--page", compare.page, "Where the page goes.")->capture_default_str();

  replay::JoinOptions join;
  CLI::App* join_app = app.add_subcommand(
      "join",
      "Makes one run of several of one scenario, each under policies of its own, and its "
      "report.\n\n"
      "  collage-replay join out/policies none/policies-deployed hedge/policies-deployed");
  join_app->add_option("out", join.out, "Folder for the whole.")->required();
  join_app->add_option("folders", join.folders, "Of the runs.")->required();

  replay::RecordOptions record;
  CLI::App* record_app = app.add_subcommand(
      "record",
      "Sends test images to a pipeline that is up and writes how long each took, for a scenario's\n"
      "`latency: {source: series, file: ...}`.  What a collage or a hedge answered is left out: "
      "use\n"
      "policy `none` to see stragglers.\n\n"
      "  collage-replay record --endpoint tcp://10.0.0.5:5570 --images 5000");
  record_app->add_option("--endpoint", record.endpoint, "Of the broker, for producers.")
      ->capture_default_str();
  record_app->add_option("--keys", record.keys,
                         "Encrypt; the folder of producer.secret and broker.public.");
  record_app->add_option("--dataset", record.dataset, "Whose test images.")->capture_default_str();
  record_app->add_option("--images", record.images, "How many.")
      ->check(CLI::Range(1, 10'000'000))
      ->capture_default_str();
  record_app->add_option("--parallel", record.parallel, "Under way at once.")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  record_app->add_option("--out", record.out, "The series.")->capture_default_str();

  replay::SimOptions sim;
  std::string seeds = "1..1000";
  CLI::App* sim_app = app.add_subcommand(
      "sim",
      "Simulates pipelines that seeds draw, with traffic, crashes and bad links, and checks from\n"
      "outside that nothing is lost, late without a word, or wrong.\n\n"
      "  collage-replay sim --seeds 1..100000");
  sim_app->add_option("--seeds", seeds, "FIRST..LAST, or one.")->capture_default_str();
  sim_app->add_option("--failures", sim.failures_max, "Ends after so many.")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  sim_app->add_flag("--hashes", sim.hashes, "Print each seed's hash.");

  replay::PipelineOptions pipeline;
  CLI::App* pipeline_app =
      app.add_subcommand("pipeline",
                         "Keeps a whole pipeline up on this host until Ctrl-C.\n\n"
                         "  collage-replay pipeline pipeline.yaml --classifiers 4");
  pipeline_app->add_option("pipeline", pipeline.pipeline, "The file that describes it.");
  pipeline_app->add_option("--classifiers", pipeline.classifiers, "s-CNN stages; 0: one a slot.")
      ->check(CLI::Range(0, 1000));
  pipeline_app->add_option("--collages", pipeline.collages, "Collage stages.")
      ->check(CLI::Range(0, 100));
  pipeline_app->add_option("--logs", pipeline.logs, "Folder for the processes' logs.");

  replay::LifeOptions life;
  CLI::App* life_app =
      app.add_subcommand("life",
                         "Shows the life of one request across the processes that logged it.\n\n"
                         "  collage-replay life 42 out/pipeline\n"
                         "  journalctl -o cat -u 'collage-*' | collage-replay life 42 -");
  life_app->add_option("request", life.request, "Its number, as its producer gave it.")->required();
  life_app->add_option("logs", life.logs, "Log files, folders of them, or - for standard input.")
      ->required();
  life_app->add_option("--producer", life.producer, "How the name of its producer begins.");

  return runtime::run_cli(app, argc, argv, [&] {
    if (sim_app->parsed()) {
      read_seeds(seeds, sim);
      return replay::run_sim(sim);
    }
    if (report_app->parsed()) return replay::run_report(report);
    if (compare_app->parsed()) return replay::run_compare(compare);
    if (join_app->parsed()) return replay::run_join(join);
    if (record_app->parsed()) return replay::run_record(record);
    if (life_app->parsed()) return replay::run_life(life);
    if (pipeline_app->parsed()) return replay::run_pipeline(pipeline);
    return replay::run_replay(demo_app->parsed() ? demo : replay);
  });
}
