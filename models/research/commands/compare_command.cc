#include <torch/script.h>

#include <algorithm>
#include <cstdio>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>

#include "models/research/baselines/berrut.h"
#include "models/research/baselines/coded_answers.h"
#include "models/research/baselines/parity.h"
#include "models/research/baselines/recovery.h"
#include "models/research/commands/commands.h"
#include "models/research/commands/figures.h"
#include "models/research/commands/run_options.h"
#include "models/research/data/sources.h"
#include "models/research/evaluation/evaluate.h"
#include "models/serving/input_tensor.h"
#include "models/serving/manifest_reader.h"
#include "models/serving/network.h"
#include "models/serving/output_tensor.h"
#include "models/serving/script.h"
#include "runtime/service/install_paths.h"

namespace models {
namespace {

constexpr int kCodedQueries = 8;                 // Of ApproxIFER and NeRCC.
constexpr int kSplineWorkers[] = {9, 12, 16};    // Of NeRCC.
constexpr std::size_t kSmoothnessImages = 1000;  // Held back from training, to choose it by.

struct CompareOptions {
  std::vector<std::string> datasets;  // Empty: those that have an s-CNN in `models`.
  DataOptions data;
  std::filesystem::path models = runtime::installed_path("models");
  std::filesystem::path json = "out/models/compare.json";
  std::uint64_t seed = 1;
  int rounds = 200;
};

// One way to answer for a straggler.
struct Backup {
  std::string name;
  int images = 1;  // In one input of the network.
  Manifest manifest;
};

Backup backup_of(Manifest m, bool served) {
  if (m.kind == Kind::parity) return {"parity-" + m.parity_code, m.parity_images, std::move(m)};
  if (m.kind == Kind::single) return {served ? "none" : "small", 1, std::move(m)};
  return {m.head == Head::detect ? "detect" : "collage", m.slots(), std::move(m)};
}

Scnn handle_of(const Manifest& manifest) {
  torch::jit::Module script =
      torch::jit::freeze(load_script(manifest.weights, manifest.sha256).module);
  return [script, form = manifest.output_form](const torch::Tensor& input) mutable {
    const c10::InferenceMode inference;
    return logits_of(script.forward({input}), form);
  };
}

std::vector<float> parity_answers(const Manifest& m, const std::vector<float>& alone,
                                  const Dataset& test, std::uint64_t seed) {
  const auto classes = static_cast<std::int64_t>(test.class_names.size());
  const torch::Tensor answers = torch::tensor(alone).reshape({-1, classes});
  return values_of(recovered_logits(handle_of(m), answers, test, parity_code_of(m.parity_code),
                                    m.parity_images, seed));
}

nlohmann::ordered_json comparison_row(const std::string& backup, int images, const Manifest& m,
                                      double latency_s, double single_latency_s,
                                      const Recovery& got) {
  nlohmann::ordered_json row = model_figures(m);
  row["backup"] = backup;
  row["images"] = images;
  row["accuracy"] = got.recovered;
  row["loss_points"] = 100 * (got.answered - got.recovered);
  row["latency_ms"] = 1e3 * latency_s;
  row["latency_ratio"] = latency_s / single_latency_s;
  row["mmac"] = m.origin.mmac;
  row["parameters"] = m.origin.parameters;
  row["accuracy_answered"] = got.answered;
  row["accuracy_recovered"] = got.recovered;
  row["agreement"] = got.agreement;
  row["overall_1"] = got.overall(0.01);
  row["overall_5"] = got.overall(0.05);
  row["overall_10"] = got.overall(0.10);
  return row;
}

// The models of a data set in a folder: the s-CNN first, then by name and cost.
std::vector<Backup> backups_in(const CompareOptions& options, const std::string& dataset) {
  std::vector<Backup> backups;
  for (const bool served : {true, false}) {
    for (const auto& file : manifests_in(served ? options.models : options.models / kBaselines)) {
      Manifest m = load_manifest(file);
      if (m.dataset == dataset) backups.push_back(backup_of(std::move(m), served));
    }
  }
  std::ranges::stable_sort(backups, {}, [](const Backup& b) {
    return std::tuple(b.name != "none", b.name, b.images, -b.manifest.origin.mmac);
  });
  if (backups.empty() || backups.front().name != "none") {
    throw std::runtime_error(options.models.string() + ": has no single of " + dataset);
  }
  return backups;
}

// The first of the images that no model of the data set was trained on.
Dataset held_back_of(const std::string& dataset, const CompareOptions& options) {
  const Dataset held_back =
      hold_back(load_by_name(dataset, Part::train, options.data.folder), held_back_images(dataset))
          .second;
  std::vector<std::size_t> first(std::min(kSmoothnessImages, held_back.size()));
  std::iota(first.begin(), first.end(), std::size_t{0});
  return select(held_back, first);
}

// Rows of the codes by which the s-CNN itself answers mixtures; it takes `latency_s`.
void compare_codes(const Manifest& single, double latency_s, const std::vector<float>& alone,
                   const Dataset& test, const CompareOptions& options,
                   nlohmann::ordered_json& rows) {
  const Scnn scnn = handle_of(single);
  const auto row_of = [&](const std::string& name, const CurveCode& code) {
    const CodedAnswers coded = coded_answers(scnn, test, code, options.seed);
    return comparison_row(name, kCodedQueries, single, latency_s, latency_s,
                          recovery_of(coded.whole, coded.straggled, alone, test));
  };
  rows.push_back(row_of("approxifer", berrut_code(kCodedQueries, 1)));
  const Dataset held_back = held_back_of(single.dataset, options);
  for (const int workers : kSplineWorkers) {
    const Smoothness best =
        choose_smoothness(scnn, held_back, kCodedQueries, workers, options.seed);
    nlohmann::ordered_json row =
        row_of("nercc-" + std::to_string(workers), spline_code(kCodedQueries, workers, best));
    row["encoder_smoothness"] = best.encoder;
    row["decoder_smoothness"] = best.decoder;
    rows.push_back(std::move(row));
  }
}

// All backups of one data set, measured in one process on the same images.
void compare(const std::string& dataset, const CompareOptions& options,
             nlohmann::ordered_json& rows) {
  const std::vector<Backup> backups = backups_in(options, dataset);
  const Dataset test = load_by_name(dataset, Part::test, options.data.folder);
  std::vector<Network> networks;
  for (const Backup& backup : backups) networks.emplace_back(backup.manifest);
  std::vector<Timed> timed;
  for (const Network& network : networks) timed.push_back({&network, &test});
  const std::vector<double> latencies = median_latencies(timed, options.rounds, seconds_now);
  const std::vector<float> alone = answer_all(networks.front(), test, options.seed);
  const std::vector<float> nothing(alone.size(), std::numeric_limits<float>::quiet_NaN());
  for (std::size_t i = 0; i < backups.size(); ++i) {
    const auto& [name, images, m] = backups[i];
    const std::vector<float> recovered = name == "none" ? nothing
                                         : m.kind == Kind::parity
                                             ? parity_answers(m, alone, test, options.seed)
                                             : answer_all(networks[i], test, options.seed);
    rows.push_back(comparison_row(name, images, m, latencies[i], latencies.front(),
                                  recovery_of(alone, recovered, alone, test)));
  }
  compare_codes(backups.front().manifest, latencies.front(), alone, test, options, rows);
}

void print_comparison(const nlohmann::ordered_json& rows) {
  std::printf("%-8s %-20s %2s %8s %9s %6s %6s %6s %6s %6s %8s %5s\n", "dataset", "backup", "N",
              "answered", "recovered", "agree", "1 %", "5 %", "10 %", "MMAC", "params", "ratio");
  for (const auto& r : rows) {
    const auto percent = [&](const char* key) { return 100 * r[key].get<double>(); };
    std::printf("%-8s %-20s %2d %8.2f %9.2f %6.2f %6.2f %6.2f %6.2f %6.1f %8lld %5.2f\n",
                r["dataset"].get<std::string>().c_str(), r["backup"].get<std::string>().c_str(),
                r["images"].get<int>(), percent("accuracy_answered"), percent("accuracy_recovered"),
                percent("agreement"), percent("overall_1"), percent("overall_5"),
                percent("overall_10"), r["mmac"].get<double>(),
                static_cast<long long>(r["parameters"].get<std::int64_t>()),
                r["latency_ratio"].get<double>());
  }
}

// Those asked for, or those that have an s-CNN; a data set may be known before its weights ship.
std::vector<std::string> datasets_of(const CompareOptions& options) {
  if (!options.datasets.empty()) return options.datasets;
  std::vector<std::string> names = dataset_names();
  std::erase_if(names, [&](const std::string& name) {
    return !std::filesystem::exists(options.models / (name + "_single.yaml"));
  });
  return names;
}

void run_compare(const CompareOptions& options) {
  auto rows = nlohmann::ordered_json::array();
  for (const std::string& dataset : datasets_of(options)) {
    if (has_test_images(dataset, options.data)) compare(dataset, options, rows);
  }
  print_comparison(rows);
  write_json(options.json, rows);
}

}  // namespace

void add_compare_command(CLI::App& app) {
  auto options = std::make_shared<CompareOptions>();
  CLI::App* verb = app.add_subcommand(
      "compare", "Measure the collages and their baselines on the same test images");
  verb->add_option("--dataset", options->datasets,
                   "Only these (default: all that have an s-CNN in the folder of manifests)")
      ->check(CLI::IsMember(dataset_names()));
  add_data_option(*verb, options->data);
  verb->add_option("--models", options->models,
                   "Folder of manifests, with research/baselines/ below")
      ->capture_default_str();
  verb->add_option("--json", options->json, "Where the figures go as JSON")->capture_default_str();
  verb->add_option("--seed", options->seed, "Chooses tilings, groups and stragglers")
      ->capture_default_str();
  verb->add_option("--rounds", options->rounds, "Timed inferences of each model, taking turns")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  verb->callback([options] { run_compare(*options); });
}

}  // namespace models
