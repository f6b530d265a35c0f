#include "models/research/commands/manifest_template.h"

#include <algorithm>
#include <cctype>
#include <string_view>

#include "models/serving/manifest.h"

namespace models {
namespace {

// In quotes unless nothing of it means anything to YAML.
std::string scalar(const std::string& text) {
  const auto plain = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
  const bool harmless = !text.empty() && plain(text.front()) && plain(text.back()) &&
                        std::ranges::all_of(text, [&](char c) {
                          return plain(c) || std::string_view("-./ ").find(c) != std::string::npos;
                        });
  return harmless ? text : quoted(text);
}

std::string normalisation(int channels) {
  const std::string numbers =
      channels == 1 ? "{mean: [0.5], deviation: [0.5]}"
                    : "{mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225]}";
  return "# (?) channel = (pixel / 255 - mean) / deviation; a network that takes 0 to 255 needs\n"
         "# range: 255 as well, and one that takes blue first order: bgr\n"
         "normalisation: " +
         numbers + "\n";
}

std::string preprocess(const TileShape& tile) {
  if (tile.width != 224) {
    return "# (?) the whole tile is filled with the middle of the picture\n"
           "preprocess: {resize: cover}\n";
  }
  return "# (?) as torchvision's Resize(256) and CenterCrop(224)\n"
         "preprocess: {resize: shorter_side, size: 256, icc: ignored}\n";
}

std::string output(const OutputForm& form) {
  std::string text;
  if (!form.key.empty()) text += "key: " + scalar(form.key);
  if (form.scores == Scores::probabilities) {
    text += std::string(text.empty() ? "" : ", ") + "scores: probabilities";
  }
  return text.empty() ? "" : "output: {" + text + "}\n";
}

}  // namespace

std::string manifest_template(const TemplateFacts& facts) {
  const TileShape& tile = facts.tile;
  std::string text =
      "# Of an s-CNN of your own.  The network does not show what is marked with (?): it must be\n"
      "# as in training.\n"
      "name: " +
      scalar(facts.name) +
      "\n"
      "kind: single\n"
      "weights: " +
      scalar(facts.weights.string()) +
      "\n"
      "sha256: \"" +
      facts.sha256 +
      "\"\n"
      "version: " +
      scalar(facts.version) + "  # reported with each answer\n";
  if (!facts.size_is_known) text += "# (?) the network takes this size, and perhaps others\n";
  text += "tile: {width: " + std::to_string(tile.width) +
          ", height: " + std::to_string(tile.height) +
          ", channels: " + std::to_string(tile.channels) + "}\n";
  text += normalisation(tile.channels) + preprocess(tile) + output(facts.output_form);
  if (!facts.names_are_known) text += "# (?) in the order of the network's numbers\n";
  text += "class_names:\n";
  for (const std::string& name : facts.class_names) text += "  - " + scalar(name) + "\n";
  return text;
}

}  // namespace models
