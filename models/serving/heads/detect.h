// The paper's head: boxes with objectness and classes, and the class logits of each slot's box.
//
// A network's raw output has a row for each anchor of each place of its map, row by row, anchors
// within a place:
//
//     tx ty tw th  objectness  one logit a class
//
// read as YOLOv3 does (Redmon and Farhadi 2018): the centre of the box lies sigmoid(tx),
// sigmoid(ty) into its place, its sides are anchor * exp(tw), exp(th), and its score is
// sigmoid(objectness) x the largest class probability.  Pure functions; no torch here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "imaging/layout.h"
#include "models/serving/heads/decode.h"

namespace models {

enum class Head : std::uint8_t {
  grid,    // A row of class logits for each slot.
  detect,  // Boxes, as above.
};

inline constexpr int kAnchors = 3;  // Boxes at each place of the map.

struct Side {
  double width = 0;  // Pixels of the collage.
  double height = 0;
  friend bool operator==(const Side&, const Side&) = default;
};

struct DetectShape {
  int map_width = 0;
  int map_height = 0;
  Side stride;  // Pixels of the collage between two places.
  std::vector<Side> anchors;
  int classes = 0;
  double score_min = 0.05;   // Boxes of a lower score are dropped.
  double overlap_max = 0.5;  // Of two boxes of a class that overlap more, the better stays.

  std::size_t row() const { return 5 + static_cast<std::size_t>(classes); }
  std::size_t rows() const {
    return static_cast<std::size_t>(map_width) * static_cast<std::size_t>(map_height) *
           anchors.size();
  }
  friend bool operator==(const DetectShape&, const DetectShape&) = default;
};

struct Detection {
  Box box;
  std::size_t row = 0;  // Of the raw output.
};

// Every box of at least score_min, in order of rows.  Rows with a number that is not finite give
// none.  Requires raw.size() == shape.rows() * shape.row().
std::vector<Detection> detections(std::span<const float> raw, const DetectShape& shape);

// Non-maximum suppression within each class: by falling score (the first among equals), a box
// stays unless it overlaps one that stays by more than overlap_max (Jaccard index).
std::vector<Detection> suppress(std::vector<Detection> boxes, double overlap_max);

// slots x classes: the class logits of each slot's box after suppression and best_boxes(), or
// NaNs where it has none.
std::vector<float> slot_logits(std::span<const float> raw, const DetectShape& shape,
                               const imaging::Grid& grid);

}  // namespace models
