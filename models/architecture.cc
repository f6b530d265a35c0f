#include "models/architecture.h"

#include <stdexcept>

namespace models {
namespace {

// Calls visit(in, out, kernel, map_width, map_height) for each convolution in turn.
template <class Visit>
void for_each_convolution(const Architecture& a, Visit visit) {
  int width = a.input_width();
  int height = a.input_height();
  const auto halve = [&] {
    width /= 2;
    height /= 2;
  };
  if (a.stem_halves) halve();
  visit(a.channels, a.stem_width, width, height);
  int in = a.stem_width;
  for (const StageShape& stage : a.stages) {
    if (stage.halve) halve();
    if (stage.halve || in != stage.width) visit(in, stage.width, width, height);
    for (int i = 0; i < 2 * stage.blocks; ++i) visit(stage.width, stage.width, width, height);
    in = stage.width;
  }
}

int feature_width(const Architecture& a) {
  return a.stages.empty() ? a.stem_width : a.stages.back().width;
}

}  // namespace

int Architecture::reduction() const {
  int factor = stem_halves ? 2 : 1;
  for (const StageShape& stage : stages) factor *= stage.halve ? 2 : 1;
  return factor;
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
  }
  require(a.tile_width % a.reduction() == 0 && a.tile_height % a.reduction() == 0,
          "the tile's sides must be multiples of the reduction, or cells are not whole");
}

double mmac(const Architecture& a) {
  double total = static_cast<double>(feature_width(a)) * a.classes * a.slots();
  for_each_convolution(
      a, [&](int in, int out, int width, int height) { total += 9.0 * in * out * width * height; });
  return total / 1e6;
}

std::int64_t parameter_count(const Architecture& a) {
  std::int64_t total = static_cast<std::int64_t>(feature_width(a) + 1) * a.classes;
  for_each_convolution(a, [&](int in, int out, int, int) {
    total += 9LL * in * out + 2LL * out;  // Weights, and the scale and shift that follow.
  });
  return total;
}

Architecture single_architecture(int tile, int channels, int classes) {
  return {.name = "single",
          .grid = 1,
          .tile_width = tile,
          .tile_height = tile,
          .channels = channels,
          .classes = classes,
          .stem_width = 32,
          .stem_halves = false,
          .stages = {{32, 1, false}, {64, 2, true}, {128, 2, true}}};
}

Architecture collage_architecture(int grid, int tile, int channels, int classes) {
  return {.name = "collage",
          .grid = grid,
          .tile_width = tile,
          .tile_height = tile,
          .channels = channels,
          .classes = classes,
          .stem_width = 16,
          .stem_halves = false,
          .stages = {{32, 0, true}, {64, 2, true}}};
}

}  // namespace models
