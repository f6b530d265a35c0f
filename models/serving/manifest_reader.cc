#include "models/serving/manifest_reader.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "runtime/config/document.h"

namespace models {
namespace {

constexpr int kSideMax = 4096;  // Pixels of a tile.

std::vector<double> read_numbers(runtime::Section& section, const char* key, int count, double min,
                                 double max,
                                 std::optional<std::vector<std::string>> fallback = {}) {
  std::vector<double> numbers;
  for (const std::string& text : section.texts(key, std::move(fallback))) {
    double value = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || stop != end || !(value >= min && value <= max)) {
      section.fail(key, "has " + runtime::in_quotes(text) + ", expected numbers from " +
                            std::to_string(min) + " to " + std::to_string(max));
    }
    numbers.push_back(value);
  }
  if (numbers.size() != static_cast<std::size_t>(count)) {
    section.fail(key, "has " + std::to_string(numbers.size()) + " numbers, expected " +
                          std::to_string(count));
  }
  return numbers;
}

TileShape read_tile(runtime::Section tile) {
  TileShape shape;
  shape.width = static_cast<int>(tile.integer("width", 1, kSideMax));
  shape.height = static_cast<int>(tile.integer("height", 1, kSideMax));
  shape.channels = static_cast<int>(tile.integer("channels", 1, 3));
  if (shape.channels == 2) tile.fail("channels", "is 2, expected 1 (grey) or 3 (RGB)");
  return shape;
}

imaging::Colour read_colour(runtime::Section& section, const char* key) {
  const std::vector<double> levels =
      read_numbers(section, key, 3, 0, 255, std::vector<std::string>{"0", "0", "0"});
  imaging::Colour colour{};
  std::ranges::transform(levels, colour.begin(), [](double level) {
    return static_cast<std::uint8_t>(std::lround(level));
  });
  return colour;
}

// `crop` is the share of the resized picture that the tile shows.  A shorter side may be given in
// its place, in pixels; with neither, it is the tile's.
void read_resize(runtime::Section& section, const TileShape& tile, imaging::Preprocess& p) {
  using imaging::Resize;
  constexpr double kCropMin = 0.05;
  p.resize = section.choice<Resize>("resize",
                                    {{"cover", Resize::cover},
                                     {"shorter_side", Resize::shorter_side},
                                     {"exact", Resize::exact},
                                     {"fit", Resize::fit}},
                                    p.resize);
  if (p.resize == Resize::fit) return;
  const double crop = section.number("crop", kCropMin, 1, 1.0);
  if (p.resize != Resize::shorter_side) {
    p.crop = crop;
    return;
  }
  // timm rounds down, too.
  const auto side = static_cast<std::int64_t>(std::min(tile.width, tile.height) / crop);
  p.shorter_side = static_cast<int>(section.integer("size", 1, 4 * kSideMax, side));
  if (crop != 1 && p.shorter_side != side) {
    section.fail("crop", "gives a shorter side of " + std::to_string(side) +
                             " pixels, size another; expected one of the two keys");
  }
}

imaging::Preprocess read_preprocess(runtime::Section section, const TileShape& tile) {
  using imaging::Interpolation;
  imaging::Preprocess p;
  read_resize(section, tile, p);
  p.interpolation = section.choice<Interpolation>("interpolation",
                                                  {{"bilinear", Interpolation::bilinear},
                                                   {"bicubic", Interpolation::bicubic},
                                                   {"lanczos", Interpolation::lanczos},
                                                   {"area", Interpolation::area}},
                                                  p.interpolation);
  p.antialias = section.flag("antialias", p.antialias);
  p.padding = read_colour(section, "padding");
  p.background = section.choice<imaging::Background>(
      "background",
      {{"visible", imaging::Background::visible}, {"colour", imaging::Background::colour}},
      p.background);
  if (p.background == imaging::Background::colour) {
    p.background_colour = read_colour(section, "background_colour");
  }
  p.icc = section.choice<imaging::Icc>(
      "icc", {{"srgb", imaging::Icc::srgb}, {"ignored", imaging::Icc::ignored}}, p.icc);
  return p;
}

Normalisation read_normalisation(runtime::Section section, const TileShape& tile) {
  Normalisation n;
  n.mean = read_numbers(section, "mean", tile.channels, -1000, 1000);
  n.deviation = read_numbers(section, "deviation", tile.channels, 1e-6, 1e6);
  n.range = section.number("range", 1, 255, n.range);
  n.order = section.choice<ChannelOrder>(
      "order", {{"rgb", ChannelOrder::rgb}, {"bgr", ChannelOrder::bgr}}, n.order);
  return n;
}

OutputForm read_output(runtime::Section section, Head head) {
  OutputForm form;
  form.key = section.text("key", "");
  form.scores = section.choice<Scores>(
      "scores", {{"logits", Scores::logits}, {"probabilities", Scores::probabilities}},
      form.scores);
  if (head == Head::detect && form.scores != Scores::logits) {
    section.fail("scores", "is probabilities, but a detect head reads logits");
  }
  return form;
}

DetectShape read_detect(runtime::Section section, const Manifest& m) {
  DetectShape shape;
  shape.map_width = static_cast<int>(section.integer("map_width", 1, kSideMax));
  shape.map_height = static_cast<int>(section.integer("map_height", 1, kSideMax));
  shape.stride = {.width = static_cast<double>(m.input().width) / shape.map_width,
                  .height = static_cast<double>(m.input().height) / shape.map_height};
  const std::vector<double> widths = read_numbers(section, "anchor_widths", kAnchors, 1, kSideMax);
  const std::vector<double> heights =
      read_numbers(section, "anchor_heights", kAnchors, 1, kSideMax);
  for (std::size_t i = 0; i < widths.size(); ++i) shape.anchors.push_back({widths[i], heights[i]});
  shape.classes = static_cast<int>(m.class_names.size());
  shape.score_min = section.number("score_min", 0, 1, shape.score_min);
  shape.overlap_max = section.number("overlap_max", 0, 1, shape.overlap_max);
  return shape;
}

Bfloat16Cost read_bfloat16(runtime::Section section) {
  Bfloat16Cost cost;
  cost.lost = section.number("lost", -1, 1, 0.0);
  cost.images = static_cast<std::size_t>(section.integer("images", 0, INT64_MAX, 0));
  return cost;
}

Origin read_origin(runtime::Section section) {
  Origin origin;
  origin.command = section.text("command", "unknown");
  origin.seed = static_cast<std::uint64_t>(section.integer("seed", 0, INT64_MAX, 0));
  origin.threads = static_cast<int>(section.integer("threads", 0, 4096, 0));
  origin.held_back_accuracy = section.number("held_back_accuracy", 0, 1, 0.0);
  origin.test_accuracy = section.number("test_accuracy", 0, 1, 0.0);
  origin.test_ece = section.number("test_ece", 0, 1, 0.0);
  origin.sample_right = static_cast<int>(section.integer("sample_right", 0, kSampleImages, 0));
  origin.mmac = section.number("mmac", 0, 1e9, 0.0);
  origin.parameters = section.integer("parameters", 0, INT64_MAX, 0);
  return origin;
}

bool is_sha256(const std::string& text) {
  return text.size() == 64 && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

void read_weights(runtime::Section& root, const std::filesystem::path& file, Manifest& m) {
  m.weights = file.parent_path() / root.text("weights");
  m.sha256 = root.text("sha256");
  if (!is_sha256(m.sha256)) root.fail("sha256", "expected 64 lower-case hexadecimal digits");
  m.version = root.text("version");
  // A stage sends its version with each answer, and the wire bounds it.
  if (m.version.size() > wire::kVersionMax) {
    root.fail("version", "expected at most " + std::to_string(wire::kVersionMax) + " bytes");
  }
}

void read_parity(runtime::Section parity, Manifest& m) {
  m.parity_code = parity.choice<std::string>(
      "code", {{"addition", "addition"}, {"concatenation", "concatenation"}});
  m.parity_images = static_cast<int>(parity.integer("images", 2, 64));
}

Manifest read(const runtime::Document& document, const std::filesystem::path& file) {
  runtime::Section root = document.root();
  Manifest m;
  m.name = root.text("name");
  m.kind = root.choice<Kind>(
      "kind", {{"single", Kind::single}, {"collage", Kind::collage}, {"parity", Kind::parity}});
  m.dataset = root.text("dataset", "");
  m.grid = m.kind != Kind::collage
               ? static_cast<int>(root.integer("grid", 1, 1, 1))
               : static_cast<int>(root.integer("grid", wire::kGridSideMin, wire::kGridSideMax));
  read_weights(root, file, m);
  m.tile = read_tile(root.section("tile"));
  if (m.kind == Kind::collage) {
    m.head =
        root.choice<Head>("head", {{"grid", Head::grid}, {"detect", Head::detect}}, Head::grid);
  }
  if (m.kind == Kind::parity) read_parity(root.section("parity"), m);
  m.preprocess = read_preprocess(root.section("preprocess"), m.tile);
  m.normalisation = read_normalisation(root.section("normalisation"), m.tile);
  m.output_form = read_output(root.section("output"), m.head);
  m.calibration.temperature = root.number("temperature", 0.01, 100, 1.0);
  m.calibration.slope = root.number("temperature_slope", 0, 1, 0.0);
  m.bfloat16 = read_bfloat16(root.section("bfloat16"));
  m.class_names = root.texts("class_names");
  if (m.class_names.size() < 2) root.fail("class_names", "expected two names at least");
  if (m.head == Head::detect) m.detect = read_detect(root.section("detect"), m);
  m.origin = read_origin(root.section("origin"));
  document.finish();
  return m;
}

}  // namespace

Manifest load_manifest(const std::filesystem::path& file) {
  return read(runtime::Document::load(file), file);
}

Manifest parse_manifest(const std::string& text, const std::filesystem::path& name) {
  return read(runtime::Document::parse(text, name.string()), name);
}

}  // namespace models
