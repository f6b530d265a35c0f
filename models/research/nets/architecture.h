// The shape of a network as data: its layers and their cost.  grid_net.h builds the network.
//
// One family serves singles and collages.  A trunk of 3x3 convolutions halves the map where a
// stage has `halve` or `pool`; the map is then averaged over each of the grid x grid cells, and one
// linear layer turns every cell's mean into logits:
//
//     [B, C, g*t, g*t] -> stem -> stages -> map [B, F, g*m, g*m] -> cells [B, g*g, F] -> logits
//
// With grid 1 this is an ordinary image classifier.  A receptive field may cross the border of a
// tile, but a cell's logits follow from exactly its own cell of the map.  A convolution as large as
// a cell may replace the mean: it adds few operations and helps small trunks, whose receptive
// fields do not span a tile.
//
// The detect head, the paper's, has no cells: at each place of the map a linear layer gives for
// each anchor a box, an objectness and class logits (serving/heads/detect.h).
//
// Pure; no torch here.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "imaging/layout.h"
#include "models/serving/heads/detect.h"

namespace models {

struct StageShape {
  int width = 0;       // Channels.
  int blocks = 0;      // Residual blocks of two 3x3 convolutions, after the stage's entry.
  bool halve = false;  // Entry convolution with stride 2; else with stride 1.
  bool pool = false;   // 2x2 max pooling after the entry instead: costs more, keeps more.
  bool operator==(const StageShape&) const = default;
};

// Whether a stage with `in` input channels begins with an entry convolution.
bool has_entry(const StageShape& stage, int in);

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
  // Factor by which each side shrinks from the input to the last map; odd sides round up.
  int reduction() const;
  int map_channels() const;  // Channels of the last map.
  int feature_width()
      const;              // Numbers a cell (or a place, of a detect head) before the linear layer.
  int map_width() const;  // Places of the last map.
  int map_height() const;
  int head_width() const;  // Numbers that the linear layer gives at a cell or place.
};

// Throws std::invalid_argument, saying what is wrong, unless every cell of the last map is whole;
// for a detect head cells need not be.
void check(const Architecture& architecture);

// How the output of a detect head is read.  Anchors are 1/2, 1 and 3/2 of a tile.  Requires a
// detect head.
DetectShape detect_shape(const Architecture& architecture);

// Multiply-accumulates of the convolutions and the linear layer for one input, in millions.
double mmac(const Architecture& architecture);

// Numbers of the network, batch normalisation and fixed ones included.
std::int64_t parameter_count(const Architecture& architecture);

}  // namespace models
