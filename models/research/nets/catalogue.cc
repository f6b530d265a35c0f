#include "models/research/nets/catalogue.h"

#include <algorithm>
#include <stdexcept>

namespace models {
namespace {

struct Shape {
  int stem_width;
  bool stem_halves;
  std::vector<StageShape> stages;
  int cell_width = 0;
  bool whitened = false;  // Then the stem's width follows.
};

StageShape pooled(int width, int blocks) {
  return {.width = width, .blocks = blocks, .halve = false, .pool = true};
}

Shape whitened(std::vector<StageShape> stages, int cell_width = 0) {
  return {0, false, std::move(stages), cell_width, true};
}

constexpr TileShape kGrey28{.width = 28, .height = 28, .channels = 1};
constexpr TileShape kColour32{.width = 32, .height = 32, .channels = 3};
constexpr TileShape kColour64{.width = 64, .height = 64, .channels = 3};

Architecture named(const char* name, int grid, const Subject& subject, const Shape& shape) {
  return {.name = name,
          .grid = grid,
          .tile_width = subject.tile.width,
          .tile_height = subject.tile.height,
          .channels = subject.tile.channels,
          .classes = subject.classes,
          .stem_width = shape.whitened ? 8 * subject.tile.channels : shape.stem_width,
          .stem_halves = shape.stem_halves,
          .whitened = shape.whitened,
          .stages = shape.stages,
          .cell_width = shape.cell_width};
}

[[noreturn]] void no_such_shape() {
  throw std::invalid_argument(
      "no s-CNN ships for these tiles; 28x28 grey, 32x32 and 64x64 colour have one, and `from` "
      "takes your own");
}

Shape grey_collage(int side) {
  switch (side) {
    case 2:
      return {16, false, {{48, 0, true}, {96, 2, true}}, 128};
    case 3:
      return {16, false, {{32, 0, true}, {64, 2, true}}, 128};
    case 4:
      return {16, false, {{32, 0, true}, {48, 3, true}}, 128};
    default:
      return {16, false, {{32, 0, true}, {48, 2, true}}, 128};
  }
}

// Natural images need features at full size before anything is halved, but few: width is cheaper
// further down (docs/RESULTS.md has figures).
Shape colour_collage(int side) {
  switch (side) {
    case 2:
      return whitened({pooled(48, 0), pooled(96, 1), pooled(256, 0)}, 128);
    case 3:
      return {16, false, {pooled(16, 0), pooled(128, 0), pooled(224, 0)}, 128};
    case 4:
      return whitened({pooled(16, 0), pooled(96, 0), pooled(144, 0)}, 128);
    default:
      return {16, false, {pooled(16, 0), pooled(80, 0), pooled(160, 0)}, 128};
  }
}

// Unlike at 32x32, the stem halves: at 64x64 a feature map of full size would cost a collage more
// time than its gain in accuracy is worth.
Shape photo_collage(int side) {
  switch (side) {
    case 2:
      return {24, true, {{64, 1, true}, pooled(128, 1), pooled(256, 0)}, 192};
    case 3:
      return {16, true, {pooled(32, 0), pooled(96, 1), pooled(192, 0)}, 192};
    case 4:
      return {16, true, {pooled(32, 0), pooled(80, 1), pooled(160, 0)}, 256};
    default:
      return {16, true, {pooled(32, 0), pooled(64, 1), pooled(128, 0)}, 192};
  }
}

// About 1/(side * side) of the multiply-accumulates of the single at 64x64.
Shape photo_small(int side) {
  switch (side) {
    case 2:
      return {24, true, {pooled(64, 0), pooled(128, 1), pooled(256, 0)}, 256};
    case 3:
      return {16, true, {pooled(32, 0), pooled(96, 1), pooled(176, 0)}, 192};
    case 4:
      return {16, true, {pooled(32, 0), pooled(64, 1), pooled(112, 0)}, 128};
    default:
      return {16, true, {pooled(32, 0), pooled(56, 0), pooled(80, 0)}, 128};
  }
}

// Halves until a cell of the map is small, while the tile's sides allow it.
Shape any_collage(const TileShape& tile) {
  constexpr int kCellMax = 10;
  const int side = std::max(tile.width, tile.height);
  const auto whole = [&](int reduction) {
    return tile.width % reduction == 0 && tile.height % reduction == 0;
  };
  const bool large = side / 4 > kCellMax && whole(8);
  Shape shape{16, large, {{32, 0, true}, {64, 1, true}}};
  if (side / (large ? 8 : 4) > kCellMax / 2 && whole(large ? 16 : 8)) {
    shape.stages.push_back({128, 1, true});
  }
  return shape;
}

}  // namespace

Architecture single_architecture(const Subject& subject) {
  if (subject.tile == kGrey28) {
    return named("single", 1, subject,
                 {32, false, {{32, 1, false}, {64, 2, true}, {128, 2, true}}});
  }
  if (subject.tile == kColour32) {
    return named("single", 1, subject, whitened({pooled(64, 1), pooled(192, 1), pooled(256, 1)}));
  }
  if (subject.tile == kColour64) {
    return named("single", 1, subject,
                 whitened({pooled(32, 0), pooled(96, 1), pooled(176, 2), pooled(352, 1)}));
  }
  no_such_shape();
}

Architecture small_architecture(const Subject& subject, int side) {
  if (subject.tile == kColour64) return named("small", 1, subject, photo_small(side));
  const bool grey = subject.tile == kGrey28;
  if (!grey && subject.tile != kColour32) no_such_shape();
  const auto small = [&](Shape shape) { return named("small", 1, subject, shape); };
  switch (side) {
    case 2:
      return small(grey ? Shape{16, false, {{48, 0, true}, {96, 2, true}}, 128}
                        : whitened({pooled(48, 0), pooled(80, 1), pooled(192, 0)}, 128));
    case 3:
      return small(grey ? Shape{16, false, {{32, 0, true}, {64, 2, true}}, 64}
                        : whitened({pooled(32, 0), pooled(64, 0), pooled(112, 0)}, 128));
    case 4:
      return small(grey ? Shape{16, false, {{32, 0, true}, {48, 1, true}}, 128}
                        : whitened({pooled(16, 0), pooled(56, 0), pooled(96, 0)}, 128));
    default:
      return small(grey ? Shape{16, false, {{24, 0, true}, {32, 2, true}}, 64}
                        : Shape{16, false, {pooled(16, 0), pooled(40, 0), pooled(64, 0)}, 128});
  }
}

Architecture collage_architecture(const Subject& subject, int side) {
  const Shape shape = subject.tile == kGrey28     ? grey_collage(side)
                      : subject.tile == kColour32 ? colour_collage(side)
                      : subject.tile == kColour64 ? photo_collage(side)
                                                  : any_collage(subject.tile);
  return named("collage", side, subject, shape);
}

Architecture detect_architecture(const Subject& subject, int side) {
  Architecture a =
      named("detect", side, subject, {16, false, {{32, 1, true}, {64, 2, true}, {96, 1, true}}});
  a.head = Head::detect;
  return a;
}

}  // namespace models
