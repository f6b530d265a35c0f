#include "models/research/nets/architecture.h"

#include <stdexcept>

#include "wire/check.h"

namespace models {

bool has_entry(const StageShape& stage, int in) {
  return stage.halve || stage.pool || in != stage.width;
}

namespace {

// What a convolution of stride 2 with padding leaves of a side.
int half(int side) { return (side + 1) / 2; }

int shrunk(int side, const Architecture& a) {
  for (int r = a.reduction(); r > 1; r /= 2) side = half(side);
  return side;
}

// Calls visit(in, out, map_width, map_height) for each convolution of 3x3 in turn.
template <class Visit>
void for_each_convolution(const Architecture& a, Visit visit) {
  int width = a.input_width();
  int height = a.input_height();
  const auto halve = [&] {
    width = half(width);
    height = half(height);
  };
  if (a.stem_halves) halve();
  if (!a.whitened) visit(a.channels, a.stem_width, width, height);
  int in = a.stem_width;
  for (const StageShape& stage : a.stages) {
    if (stage.halve) halve();
    if (has_entry(stage, in)) visit(in, stage.width, width, height);
    if (stage.pool) halve();
    for (int i = 0; i < 2 * stage.blocks; ++i) visit(stage.width, stage.width, width, height);
    in = stage.width;
  }
}

// Weights of the convolution over a cell.
std::int64_t cell_weights(const Architecture& a) {
  const std::int64_t places =
      static_cast<std::int64_t>(a.tile_width / a.reduction()) * (a.tile_height / a.reduction());
  return places * a.map_channels() * a.cell_width;
}

}  // namespace

int Architecture::reduction() const {
  int factor = stem_halves ? 2 : 1;
  for (const StageShape& stage : stages) factor *= stage.halve || stage.pool ? 2 : 1;
  return factor;
}

int Architecture::map_channels() const { return stages.empty() ? stem_width : stages.back().width; }

int Architecture::feature_width() const { return cell_width > 0 ? cell_width : map_channels(); }

int Architecture::map_width() const { return shrunk(input_width(), *this); }

int Architecture::map_height() const { return shrunk(input_height(), *this); }

int Architecture::head_width() const {
  return head == Head::grid ? classes : kAnchors * (5 + classes);
}

void check(const Architecture& a) {
  const auto require = [&](bool good, const char* what) {
    if (!good) throw std::invalid_argument("architecture " + a.name + ": " + what);
  };
  require(a.grid >= 1 && a.grid <= 5, "grid must be from 1 to 5");
  require(a.channels >= 1 && a.classes >= 2, "needs a channel and two classes at least");
  require(a.tile_width >= 1 && a.tile_height >= 1, "the tile is empty");
  require(a.stem_width >= 1, "the stem has no channels");
  for (const StageShape& stage : a.stages) {
    require(stage.width >= 1 && stage.blocks >= 0, "a stage has no channels");
    require(!stage.halve || !stage.pool, "a stage halves by its stride or by pooling, not by both");
  }
  require(!a.whitened || (a.stem_width == 8 * a.channels && !a.stem_halves),
          "a whitening stem has 8 channels for each of the tile's, and does not halve");
  if (a.head == Head::detect) return require(a.cell_width == 0, "a detect head knows no cells");
  require(a.tile_width % a.reduction() == 0 && a.tile_height % a.reduction() == 0,
          "the tile's sides must be multiples of the reduction, or cells are not whole");
}

DetectShape detect_shape(const Architecture& a) {
  COLLAGE_CHECK(a.head == Head::detect);
  DetectShape shape{.map_width = a.map_width(),
                    .map_height = a.map_height(),
                    .stride = {.width = static_cast<double>(a.input_width()) / a.map_width(),
                               .height = static_cast<double>(a.input_height()) / a.map_height()},
                    .anchors = {},
                    .classes = a.classes};
  for (const double share : {0.5, 1.0, 1.5}) {
    shape.anchors.push_back({share * a.tile_width, share * a.tile_height});
  }
  COLLAGE_CHECK(shape.anchors.size() == kAnchors);
  return shape;
}

double mmac(const Architecture& a) {
  const int places = a.head == Head::grid ? a.slots() : a.map_width() * a.map_height();
  double total = static_cast<double>(a.feature_width()) * a.head_width() * places;
  if (a.whitened) total += 4.0 * a.channels * a.stem_width * a.input_width() * a.input_height();
  total += static_cast<double>(cell_weights(a)) * a.slots();
  for_each_convolution(
      a, [&](int in, int out, int width, int height) { total += 9.0 * in * out * width * height; });
  return total / 1e6;
}

std::int64_t parameter_count(const Architecture& a) {
  std::int64_t total = static_cast<std::int64_t>(a.feature_width() + 1) * a.head_width();
  if (a.cell_width > 0) total += cell_weights(a) + 2LL * a.cell_width;
  if (a.whitened) total += (4LL * a.channels + 1) * a.stem_width;
  for_each_convolution(a, [&](int in, int out, int, int) {
    total += 9LL * in * out + 2LL * out;  // Weights, and the scale and shift that follow.
  });
  return total;
}

}  // namespace models
