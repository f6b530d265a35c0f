// The shape of a network, as data: what to build, what it costs, nothing of how it is computed.
//
// One family serves singles and collages.  A trunk of 3x3 convolutions halves the map where a
// stage says so; the map is then averaged over each of the grid x grid cells, and one linear
// layer turns every cell's mean into logits:
//
//     [B, C, g*t, g*t] -> stem -> stages -> map [B, F, g*m, g*m] -> cells [B, g*g, F] -> logits
//
// With grid 1 this is an ordinary image classifier.  A receptive field may cross the border of a
// tile, but a cell's logits are averaged over exactly its own cell.  Pure; no torch here.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace models {

struct StageShape {
  int width = 0;       // Channels.
  int blocks = 0;      // Residual blocks of two 3x3 convolutions, after the stage's entry.
  bool halve = false;  // Entry convolution with stride 2; else with stride 1.
  bool operator==(const StageShape&) const = default;
};

struct Architecture {
  std::string name;
  int grid = 1;         // Tiles a side; 1 is a single.
  int tile_width = 28;  // Pixels.
  int tile_height = 28;
  int channels = 1;
  int classes = 10;
  int stem_width = 0;
  bool stem_halves = false;
  std::vector<StageShape> stages;
  bool operator==(const Architecture&) const = default;

  int input_width() const { return grid * tile_width; }
  int input_height() const { return grid * tile_height; }
  int slots() const { return grid * grid; }
  // By how much each side shrinks from the input to the last map.
  int reduction() const;
};

// Throws std::invalid_argument, saying what is wrong, unless every cell of the last map is whole.
void check(const Architecture& architecture);

// Multiply-accumulates of the convolutions and the linear layer for one input, in millions.
double mmac(const Architecture& architecture);

// Trainable numbers, batch normalisation included.
std::int64_t parameter_count(const Architecture& architecture);

// The architectures that ship, by name: "single" and "collage" for 28x28 grey tiles.
Architecture single_architecture(int tile, int channels, int classes);
Architecture collage_architecture(int grid, int tile, int channels, int classes);

}  // namespace models
