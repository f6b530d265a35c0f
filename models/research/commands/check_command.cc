#include <cstdio>
#include <nlohmann/json.hpp>

#include "imaging/decode.h"
#include "imaging/encode.h"
#include "models/research/commands/commands.h"
#include "models/research/data/files.h"
#include "models/serving/manifest_reader.h"
#include "models/serving/network.h"

namespace models {
namespace {

struct CheckOptions {
  std::filesystem::path manifest;
  std::filesystem::path images;
  std::size_t count = 8;
  std::size_t top = 3;
  std::filesystem::path out = "out/models/check";
  bool json = false;
};

void print_json(const nlohmann::json& line) {
  // A path need not be UTF-8; what is not is replaced.
  std::printf("%s\n", line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
}

std::string word_of(const Manifest& m) {
  if (m.kind == Kind::collage) return "collage of " + std::to_string(m.slots()) + " tiles";
  return m.kind == Kind::single ? "single" : "parity model";
}

// Thrown to end a walk over files when enough pictures have been seen.
struct Enough {};

void print_model(const Network& network, bool json) {
  const Manifest& m = network.manifest();
  if (json) {
    return print_json({{"version", m.version},
                       {"form", network.form()},
                       {"served", network.how_served()},
                       {"warnings", network.warnings()}});
  }
  const TileShape input = m.input();
  std::printf("%s: %s, %dx%d pixels, %s, %zu classes\n", m.version.c_str(), word_of(m).c_str(),
              input.width, input.height, input.channels == 1 ? "grey" : "colour",
              m.class_names.size());
  std::printf("served %s\n", network.how_served().c_str());
  for (const std::string& warning : network.warnings()) {
    std::printf("WARNING: %s\n", warning.c_str());
  }
}

nlohmann::json answer_json(const Network& network, const std::string& path,
                           const wire::Verdict& verdict) {
  nlohmann::json line = {{"file", path}};
  if (verdict.reason != wire::Reason::none) {
    line["rejected"] = to_string(verdict.reason);
    return line;
  }
  line["top"] = nlohmann::json::array();
  for (const wire::Prediction& one : verdict.predictions) {
    line["top"].push_back({{"class", network.manifest().class_names[one.label.value]},
                           {"label", one.label.value},
                           {"probability", one.probability}});
  }
  return line;
}

std::string answer_text(const Network& network, const wire::Verdict& verdict) {
  if (verdict.reason != wire::Reason::none) return std::string(to_string(verdict.reason));
  std::string text;
  for (const wire::Prediction& one : verdict.predictions) {
    char probability[16];
    std::snprintf(probability, sizeof probability, " %.1f %%",
                  100 * static_cast<double>(one.probability));
    text +=
        (text.empty() ? "" : ", ") + network.manifest().class_names[one.label.value] + probability;
  }
  return text;
}

// As a stage classifies it; also writes what the network sees of the picture, its `number`th.
// Returns whether it is a picture.
bool check_picture(const Network& network, const CheckOptions& options, const std::string& path,
                   std::span<const std::uint8_t> bytes, std::size_t number) {
  const auto picture = imaging::decode(bytes, network.manifest().target(), imaging::Limits{});
  if (!picture) {
    if (options.json) {
      print_json(answer_json(network, path, {.predictions = {}, .reason = picture.error()}));
    } else {
      std::printf("%s: %s\n", path.c_str(), std::string(to_string(picture.error())).c_str());
    }
    return false;
  }
  const std::string name = std::filesystem::path(path).filename().string();
  imaging::write_png(options.out / (std::to_string(number) + "_" + name + ".png"), *picture);
  const wire::Verdict verdict = network.classify(*picture, options.top);
  if (options.json) {
    print_json(answer_json(network, path, verdict));
  } else {
    std::printf("%s: %s\n", path.c_str(), answer_text(network, verdict).c_str());
  }
  return true;
}

void check_pictures(const Network& network, const CheckOptions& options) {
  std::size_t seen = 0;
  const auto visit = [&](const std::string& path, std::span<const std::uint8_t> bytes) {
    if (check_picture(network, options, path, bytes, seen + 1)) ++seen;
    if (seen == options.count) throw Enough();
  };
  try {
    const LeftOut left_out = for_each_file(options.images, visit);
    for (const auto* lines : {&left_out.files, &left_out.links}) {
      for (const std::string& line : *lines) {
        std::fprintf(options.json ? stderr : stdout, "%s\n", line.c_str());
      }
    }
  } catch (const Enough&) {
  }
  if (seen == 0) throw std::runtime_error(options.images.string() + ": has no pictures");
}

void run_check(const CheckOptions& options) {
  const Network network(load_manifest(options.manifest));
  print_model(network, options.json);
  if (options.images.empty()) return;
  if (network.manifest().kind != Kind::single) {
    throw std::runtime_error(options.manifest.string() + ": is a " + word_of(network.manifest()) +
                             ", but --images needs the manifest of a single");
  }
  std::filesystem::create_directories(options.out);
  check_pictures(network, options);
  if (!options.json) std::printf("what the network sees of them: %s\n", options.out.c_str());
}

}  // namespace

void add_check_command(CLI::App& app) {
  auto options = std::make_shared<CheckOptions>();
  CLI::App* verb = app.add_subcommand(
      "check", "Load a model as a stage does, say how it is served, and classify some pictures");
  verb->add_option("manifest", options->manifest, "Its manifest (docs/MODELS.md)")->required();
  verb->add_option("--images", options->images, "Folder or tar archive of pictures");
  verb->add_option("--count", options->count,
                   "How many of them, the first by name (of an archive as they stand)")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  verb->add_option("--top", options->top, "How many classes of each")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  verb->add_option("--out", options->out,
                   "Folder for PNG files of the pictures as the network sees them")
      ->capture_default_str();
  verb->add_flag("--json", options->json,
                 "Print a JSON object on each line: first of the model, then of each picture");
  verb->callback([options] { run_check(*options); });
}

}  // namespace models
