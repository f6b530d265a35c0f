// The shape of a network, as data: what to build, what it costs, nothing of how it is computed.
//
// One family serves singles and collages.  A trunk of 3x3 convolutions halves the map where a
// stage says so; the map is then averaged over each of the grid x grid cells, and one linear
// layer turns every cell's mean into logits:
//
//     [B, C, g*t, g*t] -> stem -> stages -> map [B, F, g*m, g*m] -> cells [B, g*g, F] -> logits
//
// With grid 1 this is an ordinary image classifier.  A receptive field may cross the border of a
// tile, but a cell's logits come of exactly its own cell.  Instead of the mean a convolution as
// large as a cell may look at all of it at once: small trunks, whose receptive fields do not span
// a tile, gain much by it and pay little.
//
// The detect head, the paper's, knows nothing of cells: at each place of the map a linear layer
// says for each anchor where a box is, whether there is one, and what it shows (heads/detect.h).
//
// Pure; no torch here.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "imaging/layout.h"

namespace models {

struct StageShape {
  int width = 0;       // Channels.
  int blocks = 0;      // Residual blocks of two 3x3 convolutions, after the stage's entry.
  bool halve = false;  // Entry convolution with stride 2; else with stride 1.
  bool pool = false;   // Halved by a 2x2 maximum after the entry instead: dearer, sees more.
  bool operator==(const StageShape&) const = default;
};

inline constexpr int kAnchors = 3;  // Boxes that a place of a detect head may tell of.

// Whether a stage begins with a convolution of its own, where `in` channels come to it.
bool has_entry(const StageShape& stage, int in);

enum class Head : std::uint8_t { grid, detect };

struct Architecture {
  std::string name;
  Head head = Head::grid;
  int grid = 1;         // Tiles a side; 1 is a single.
  int tile_width = 28;  // Pixels.
  int tile_height = 28;
  int channels = 1;
  int classes = 10;
  int stem_width = 0;
  bool stem_halves = false;
  // The stem is not a convolution of 3x3 but a fixed one of 2x2 that whitens patches (grid_net.h).
  // Its width is then 8 x channels.
  bool whitened = false;
  std::vector<StageShape> stages;
  int cell_width = 0;  // Channels of the convolution over a cell; 0: its mean.
  bool operator==(const Architecture&) const = default;

  int input_width() const { return grid * tile_width; }
  int input_height() const { return grid * tile_height; }
  int slots() const { return grid * grid; }
  imaging::Grid layout() const {
    return {.side = grid, .tile_width = tile_width, .tile_height = tile_height};
  }
  // By how much each side shrinks from the input to the last map; rounded up where it is odd.
  int reduction() const;
  int map_channels() const;  // Of the last map.
  int feature_width()
      const;              // Numbers a cell (or a place, of a detect head) before the linear layer.
  int map_width() const;  // Places of the last map.
  int map_height() const;
  int head_width() const;  // Numbers that the linear layer gives at a cell or place.
};

// Throws std::invalid_argument, saying what is wrong, unless every cell of the last map is whole;
// for a detect head cells need not be.
void check(const Architecture& architecture);

// Multiply-accumulates of the convolutions and the linear layer for one input, in millions.
double mmac(const Architecture& architecture);

// Numbers of the network, batch normalisation and fixed ones included.
std::int64_t parameter_count(const Architecture& architecture);

}  // namespace models
