#include "models/serving/manifest.h"

#include <charconv>
#include <sstream>
#include <tuple>

namespace models {
namespace {

// The shortest text that reads back as the same number.
std::string number(double value) {
  char text[32];
  const auto end = std::to_chars(std::begin(text), std::end(text), value).ptr;
  return {std::begin(text), end};
}

template <class T, class Write>
std::string list(const std::vector<T>& values, Write write) {
  std::string out = "[";
  for (std::size_t i = 0; i < values.size(); ++i) out += (i == 0 ? "" : ", ") + write(values[i]);
  return out + "]";
}

std::string word_of(Kind kind) {
  switch (kind) {
    case Kind::single:
      return "single";
    case Kind::collage:
      return "collage";
    case Kind::parity:
      break;
  }
  return "parity";
}

void write_detect(std::ostream& out, const DetectShape& shape) {
  const auto sides = [&](double Side::*side) {
    std::vector<double> values;
    for (const Side& anchor : shape.anchors) values.push_back(anchor.*side);
    return list(values, number);
  };
  out << "detect:  # How the output is read; lengths in pixels of the collage.\n"
      << "  map_width: " << shape.map_width << "\n"
      << "  map_height: " << shape.map_height << "\n"
      << "  anchor_widths: " << sides(&Side::width) << "\n"
      << "  anchor_heights: " << sides(&Side::height) << "\n"
      << "  score_min: " << number(shape.score_min) << "\n"
      << "  overlap_max: " << number(shape.overlap_max) << "\n";
}

void write_normalisation(std::ostream& out, const Normalisation& normalisation) {
  const bool plain = normalisation.range == 1;
  out << "normalisation:  # (pixel / 255" << (plain ? "" : " * range")
      << " - mean) / deviation, for each channel.\n"
      << "  mean: " << list(normalisation.mean, number) << "\n"
      << "  deviation: " << list(normalisation.deviation, number) << "\n";
  if (!plain) out << "  range: " << number(normalisation.range) << "\n";
  if (normalisation.order == ChannelOrder::bgr) out << "  order: bgr\n";
}

void write_output(std::ostream& out, const OutputForm& form) {
  if (form == OutputForm{}) return;
  out << "output:  # What the network returns.\n";
  if (!form.key.empty()) out << "  key: " << quoted(form.key) << "\n";
  if (form.scores == Scores::probabilities) out << "  scores: probabilities\n";
}

void write_bfloat16(std::ostream& out, const Bfloat16Cost& cost) {
  if (cost.images == 0) return;
  out << "bfloat16:  # What it costs; a stage may compute in it if that is below 0.001.\n"
      << "  lost: " << number(cost.lost) << "  # Right answers, a share of the images.\n"
      << "  images: " << cost.images << "\n";
}

void write_origin(std::ostream& out, const Origin& origin) {
  out << "origin:  # How the weights came to be, and what they measured on the test images.\n"
      << "  command: " << quoted(origin.command) << "\n"
      << "  seed: " << origin.seed << "\n"
      << "  threads: " << origin.threads << "\n"
      << "  held_back_accuracy: " << number(origin.held_back_accuracy) << "\n"
      << "  test_accuracy: " << number(origin.test_accuracy) << "\n"
      << "  test_ece: " << number(origin.test_ece) << "\n"
      << "  sample_right: " << origin.sample_right << "  # Of the first " << kSampleImages << ".\n"
      << "  mmac: " << number(origin.mmac) << "\n"
      << "  parameters: " << origin.parameters << "\n";
}

}  // namespace

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

wire::Model Manifest::model() const {
  return {.labels_hash = wire::labels_hash(class_names),
          .grid = static_cast<std::uint8_t>(kind == Kind::single ? 0 : grid),
          .version = version};
}

std::size_t Manifest::outputs() const {
  return head == Head::detect ? detect.rows() * (5 + class_names.size())
                              : static_cast<std::size_t>(slots()) * class_names.size();
}

bool answer_alike(const Manifest& a, const Manifest& b) {
  const auto decisive = [](const Manifest& m) {
    return std::tie(m.version, m.sha256, m.kind, m.grid, m.head, m.detect, m.tile, m.preprocess,
                    m.normalisation, m.output_form, m.calibration, m.bfloat16.lost,
                    m.bfloat16.images, m.class_names);
  };
  return decisive(a) == decisive(b);
}

std::string version_of(Kind kind, Head head, int grid, const std::string& sha256) {
  const std::string side = std::to_string(grid);
  const std::string word = kind != Kind::collage  ? word_of(kind)
                           : head == Head::detect ? "detect-" + side + "x" + side
                                                  : "collage-" + side + "x" + side;
  return word + "-" + sha256.substr(0, 8);
}

std::string preprocess_text(const imaging::Preprocess& p) {
  constexpr const char* kResize[] = {"cover", "shorter_side", "exact", "fit"};
  constexpr const char* kInterpolation[] = {"bilinear", "bicubic", "lanczos", "area"};
  const auto word = [](const auto& words, auto value) {
    return words[static_cast<std::size_t>(value)];
  };
  const auto colour = [](const imaging::Colour& levels) {
    return list(std::vector<double>(levels.begin(), levels.end()), number);
  };
  if (p == imaging::Preprocess{}) return "";
  std::ostringstream out;
  out << "preprocess:  # How a picture becomes a tile.\n"
      << "  resize: " << word(kResize, p.resize) << "\n";
  if (p.resize == imaging::Resize::shorter_side) out << "  size: " << p.shorter_side << "\n";
  if (p.crop != 1) out << "  crop: " << number(p.crop) << "\n";
  out << "  interpolation: " << word(kInterpolation, p.interpolation) << "\n"
      << "  antialias: " << (p.antialias ? "true" : "false") << "\n"
      << "  padding: " << colour(p.padding) << "\n";
  if (p.background == imaging::Background::colour) {
    out << "  background: colour\n"
        << "  background_colour: " << colour(p.background_colour) << "\n";
  }
  out << "  icc: " << (p.icc == imaging::Icc::srgb ? "srgb" : "ignored") << "\n";
  return out.str();
}

std::string manifest_text(const Manifest& m) {
  const std::string preprocessing = preprocess_text(m.preprocess);
  std::ostringstream out;
  out << "name: " << quoted(m.name) << "\n"
      << "kind: " << word_of(m.kind) << "\n"
      << "dataset: " << quoted(m.dataset) << "\n"
      << "grid: " << m.grid << "\n";
  if (m.head == Head::detect) {
    out << "head: detect\n";
    write_detect(out, m.detect);
  }
  if (m.kind == Kind::parity) {
    out << "parity:\n"
        << "  code: " << m.parity_code << "\n"
        << "  images: " << m.parity_images << "\n";
  }
  out << "weights: " << quoted(m.weights.generic_string()) << "\n"
      << "sha256: " << quoted(m.sha256) << "\n"
      << "version: " << quoted(m.version) << "\n"
      << "tile:"
      << (preprocessing.empty()
              ? "  # Pictures are resized until they cover it, then cropped at the centre.\n"
              : "\n")
      << "  width: " << m.tile.width << "\n"
      << "  height: " << m.tile.height << "\n"
      << "  channels: " << m.tile.channels << "\n"
      << preprocessing;
  write_normalisation(out, m.normalisation);
  write_output(out, m.output_form);
  out << "temperature: " << number(m.calibration.temperature) << "\n"
      << "temperature_slope: " << number(m.calibration.slope)
      << "  # Logits are divided by temperature * entropy ^ slope, see README.md.\n"
      << "class_names: " << list(m.class_names, quoted) << "\n";
  write_bfloat16(out, m.bfloat16);
  write_origin(out, m.origin);
  return out.str();
}

}  // namespace models
