#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "models/checkpoint.h"
#include "models/commands.h"
#include "models/config.h"
#include "models/evaluate.h"
#include "models/network.h"
#include "models/run_options.h"

namespace models {
namespace {

struct EvalOptions {
  std::vector<std::filesystem::path> manifests = {"models/fashion_single.yaml",
                                                  "models/fashion_collage_3x3.yaml"};
  std::filesystem::path data = fashion_mnist_folder();
  std::filesystem::path json = "out/models/eval.json";
  std::uint64_t seed = 1;
  int rounds = 200;
};

struct Row {
  const Manifest* manifest;
  Score score;
  double latency_s;
};

// Losses and ratios are against the first single; a list without one has none to compare with.
const Row& reference_of(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    if (row.manifest->kind == Kind::single) return row;
  }
  throw std::runtime_error("eval needs the manifest of a single to compare with");
}

nlohmann::ordered_json to_json(const Row& row, const Row& reference) {
  const bool single = row.manifest->kind == Kind::single;
  return {{"dataset", row.manifest->dataset},
          {"model", single ? "single" : "collage"},
          {"grid", row.manifest->grid},
          {"head", single ? "none" : "grid"},
          {"accuracy", row.score.accuracy},
          {"loss_points", 100 * (reference.score.accuracy - row.score.accuracy)},
          {"latency_ms", 1e3 * row.latency_s},
          {"latency_ratio", row.latency_s / reference.latency_s},
          {"mmac", row.manifest->origin.mmac},
          {"parameters", row.manifest->origin.parameters},
          {"ece", row.score.ece}};
}

void print_table(const nlohmann::ordered_json& rows) {
  std::printf("%-8s %-8s %4s %9s %6s %8s %6s %7s %10s %7s\n", "dataset", "model", "grid",
              "accuracy", "loss", "ms", "ratio", "MMAC", "parameters", "ECE");
  for (const auto& r : rows) {
    std::printf(
        "%-8s %-8s %4d %8.2f%% %6.2f %8.3f %6.2f %7.1f %10lld %7.4f\n",
        r["dataset"].get<std::string>().c_str(), r["model"].get<std::string>().c_str(),
        r["grid"].get<int>(), 100 * r["accuracy"].get<double>(), r["loss_points"].get<double>(),
        r["latency_ms"].get<double>(), r["latency_ratio"].get<double>(), r["mmac"].get<double>(),
        static_cast<long long>(r["parameters"].get<std::int64_t>()), r["ece"].get<double>());
  }
}

void run_eval(const EvalOptions& options) {
  const Dataset test = load_fashion_mnist(options.data, Part::test);
  std::vector<Network> networks;
  for (const auto& file : options.manifests) networks.emplace_back(load_manifest(file));
  std::vector<const Network*> pointers;
  for (const Network& network : networks) pointers.push_back(&network);
  const std::vector<double> latencies = median_latencies(pointers, options.rounds, seconds_now);
  std::vector<Row> rows;
  for (std::size_t i = 0; i < networks.size(); ++i) {
    rows.push_back({.manifest = &networks[i].manifest(),
                    .score = score(networks[i], test, options.seed),
                    .latency_s = latencies[i]});
  }
  auto json = nlohmann::ordered_json::array();
  for (const Row& row : rows) json.push_back(to_json(row, reference_of(rows)));
  print_table(json);
  write_by_rename(options.json, [&](const std::string& part) {
    std::ofstream out(part);
    out << json.dump(2) << "\n";
    if (!out.flush()) throw std::runtime_error(part + ": cannot be written");
  });
}

}  // namespace

void add_eval_command(CLI::App& app) {
  auto options = std::make_shared<EvalOptions>();
  CLI::App* verb = app.add_subcommand(
      "eval", "Measure models on the test images: accuracy, calibration, time, as served");
  verb->add_option("manifests", options->manifests, "Manifests; the first single is the reference");
  verb->add_option("--data", options->data, "Folder of the Fashion-MNIST IDX files")
      ->capture_default_str();
  verb->add_option("--json", options->json, "Where the figures go as JSON")->capture_default_str();
  verb->add_option("--seed", options->seed, "Chooses the tilings of the test images")
      ->capture_default_str();
  verb->add_option("--rounds", options->rounds, "Timed inferences of each model, taking turns")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  verb->callback([options] { run_eval(*options); });
}

}  // namespace models
