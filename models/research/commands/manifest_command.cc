#include <array>
#include <cstdio>
#include <fstream>
#include <optional>
#include <sstream>

#include "machine/random.h"
#include "models/research/atomic_file.h"
#include "models/research/commands/commands.h"
#include "models/research/commands/manifest_template.h"
#include "models/serving/backend.h"
#include "models/serving/manifest_reader.h"
#include "models/serving/network.h"
#include "models/serving/onnx_backend.h"
#include "models/serving/onnx_graph.h"
#include "models/serving/script.h"
#include "models/serving/sha256.h"

namespace models {
namespace {

struct ManifestOptions {
  std::filesystem::path weights;
  std::filesystem::path classes;
  std::optional<int> side;
  std::optional<int> channels;
  std::string key;
  std::filesystem::path out;  // Empty: beside the weights.
};

// Sides that networks are usually trained on, the most usual first: a network that takes any is
// thought to be of that one.
constexpr std::array kSides = {224, 256, 299, 384, 128, 96, 64, 48, 32, 28};

// What a network was seen to take and give.
struct Found {
  TileShape tile;
  std::size_t numbers = 0;
  OutputForm output_form;
  std::vector<std::string> warnings;
};

// Whether numbers of that shape are one row: "Float [1, 10]", "Float [10]", "Float [1, 10, 1, 1]".
bool is_one_row(const std::string& returned) {
  constexpr std::string_view kType = "Float [";
  if (!returned.starts_with(kType)) return false;
  std::istringstream sides(returned.substr(kType.size()));
  int longer_than_one = 0;
  for (long side = 0; sides >> side; sides.ignore()) longer_than_one += side > 1 ? 1 : 0;
  return longer_than_one <= 1;
}

// Runs the network on grey and noise.  Throws as load_backend().
Found seen(Manifest manifest, const TileShape& tile) {
  manifest.tile = tile;
  Probes probes(2, std::vector<float>(tile.bytes()));
  machine::Rng rng(1);
  for (float& number : probes[1]) number = static_cast<float>(2 * rng.uniform() - 1);
  manifest.class_names.clear();  // All numbers are of one row.
  auto network = load_backend(manifest, probes);
  if (!is_one_row(network->returned())) {
    throw std::runtime_error(manifest.weights.string() + ": returns " + network->returned() +
                             ", expected one number for each class");
  }
  if (network->sums_to_one()) {
    manifest.output_form.scores = Scores::probabilities;
    network = load_backend(manifest, probes);
  }
  return {tile, network->numbers(), manifest.output_form, network->warnings()};
}

// Throws std::runtime_error if the file is no network at all, whatever its input.
void require_network(const std::filesystem::path& weights) {
  if (is_onnx(weights)) {
    (void)readable_onnx(weights);
  } else {
    (void)load_script(weights);
  }
}

// With the first shape that the network takes.  Throws std::runtime_error with what it said of the
// most usual one.
Found first_taken(const Manifest& manifest, const ManifestOptions& options) {
  std::vector<int> sides(kSides.begin(), kSides.end());
  if (options.side) sides = {*options.side};
  std::vector<int> channels = {3, 1};
  if (options.channels) channels = {*options.channels};
  std::string first_error;
  for (const int side : sides) {
    for (const int c : channels) {
      try {
        return seen(manifest, {.width = side, .height = side, .channels = c});
      } catch (const std::runtime_error& error) {
        if (first_error.empty()) first_error = error.what();
      }
    }
  }
  throw std::runtime_error(first_error + " (--size gives another size, --key names an output)");
}

// One name a line.
std::vector<std::string> read_names(const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in) throw std::runtime_error(file.string() + ": cannot be opened");
  std::vector<std::string> names;
  for (std::string line; std::getline(in, line);) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    if (!line.empty()) names.push_back(line);
  }
  return names;
}

std::vector<std::string> class_names(const ManifestOptions& options, std::size_t classes) {
  std::vector<std::string> names;
  if (options.classes.empty()) {
    for (std::size_t i = 0; i < classes; ++i) names.push_back("class " + std::to_string(i));
    return names;
  }
  names = read_names(options.classes);
  if (names.size() != classes) {
    throw std::runtime_error(options.classes.string() + ": has " + std::to_string(names.size()) +
                             " names, but the network gives " + std::to_string(classes) +
                             " numbers");
  }
  return names;
}

std::filesystem::path manifest_file(const ManifestOptions& options) {
  const std::filesystem::path file =
      options.out.empty() ? std::filesystem::path(options.weights).replace_extension(".yaml")
                          : options.out;
  if (std::filesystem::exists(file)) {
    throw std::runtime_error(file.string() + ": is there already; --out gives another name");
  }
  return file;
}

std::filesystem::path relative_weights(const ManifestOptions& options,
                                       const std::filesystem::path& file) {
  const std::filesystem::path folder = file.parent_path();
  return std::filesystem::relative(options.weights, folder.empty() ? "." : folder);
}

void run_manifest(const ManifestOptions& options) {
  const std::filesystem::path file = manifest_file(options);
  Manifest manifest;
  manifest.weights = options.weights;
  manifest.output_form.key = options.key;
  require_network(options.weights);
  manifest.sha256 = sha256_of(options.weights);
  const Found found = first_taken(manifest, options);
  if (found.numbers < 2) {
    throw std::runtime_error(options.weights.string() +
                             ": gives fewer than two numbers, expected one for each class");
  }
  constexpr std::size_t kHashDigits = 8;
  // With room for what a stage adds in bfloat16.
  constexpr std::size_t kNameMax = wire::kVersionMax - kHashDigits - 1 - kBfloat16Suffix.size();
  const std::string name = file.stem().string();
  const std::string text = manifest_template(
      {.name = name,
       .weights = relative_weights(options, file),
       .sha256 = manifest.sha256,
       .version = name.substr(0, kNameMax) + "-" + manifest.sha256.substr(0, kHashDigits),
       .tile = found.tile,
       .output_form = found.output_form,
       .class_names = class_names(options, found.numbers),
       .names_are_known = !options.classes.empty(),
       .size_is_known = options.side.has_value()});
  (void)parse_manifest(text, file);
  write_text(file, text);
  std::printf("%s: takes %dx%d pixels, %s, and gives %zu numbers\n", options.weights.c_str(),
              found.tile.width, found.tile.height, found.tile.channels == 1 ? "grey" : "colour",
              found.numbers);
  for (const std::string& warning : found.warnings) {
    std::printf("WARNING: it %s\n", warning.c_str());
  }
  std::printf(
      "%s is written; correct its lines marked with (?), then\n\n"
      "  collage-train check %s --images DIR\n",
      file.c_str(), file.c_str());
}

}  // namespace

void add_manifest_command(CLI::App& app) {
  auto options = std::make_shared<ManifestOptions>();
  CLI::App* verb =
      app.add_subcommand("manifest", "Write a manifest to begin with for an s-CNN of your own");
  verb->add_option("weights", options->weights, "The s-CNN, a TorchScript or ONNX file")
      ->required();
  verb->add_option("--classes", options->classes,
                   "Text file with the name of a class on each line, in the order of the network");
  verb->add_option(
          "--size", options->side,
          "Side of its input in pixels (default: the first of the usual ones that it takes)")
      ->check(CLI::Range(1, 4096));
  verb->add_option("--channels", options->channels, "1 (grey) or 3 (default: what it takes)")
      ->check(CLI::IsMember({1, 3}));
  verb->add_option("--key", options->key, "Of a dict that it returns: which tensor");
  verb->add_option("--out", options->out, "The manifest (default: beside the weights)");
  verb->callback([options] { run_manifest(*options); });
}

}  // namespace models
