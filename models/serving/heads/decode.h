// From the output of a collage network to one answer for each slot.
//
// Two heads, one result: for each slot what it shows, or nothing.  'Nothing' is never class 0 or
// -1.  Pure functions; no torch here.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "imaging/layout.h"
#include "wire/message.h"

namespace models {

// One detection, in pixels of the collage.
struct Box {
  imaging::Rect rect;
  wire::ClassId label;
  float score = 0;  // 0..1, the larger the surer.
};

// The answer of a cell's best box.
struct SlotAnswer {
  wire::ClassId label;
  float score = 0;
  friend bool operator==(const SlotAnswer&, const SlotAnswer&) = default;
};

// The decoding of Narra et al. 2019 (collage inference): a box belongs to the cell of largest
// Jaccard index, the lowest slot among equals; of a cell's boxes the best score wins, the first
// among equals; a cell with no box has no answer.  Boxes that overlap no cell, or whose score is
// not finite, answer nothing.  The result has grid.slots() entries, each an index into `boxes`.
std::vector<std::optional<std::size_t>> best_boxes(std::span<const Box> boxes,
                                                   const imaging::Grid& grid);

// The answers of those boxes.
std::vector<std::optional<SlotAnswer>> decode_boxes(std::span<const Box> boxes,
                                                    const imaging::Grid& grid);

// The answer of each slot: `probabilities` is slots x classes, row by row, and a slot's answer is
// top_of() its row.  A blank slot has none, nor has a row that says_blank() or is not finite.
// Requires a row for each flag of `blank`.
std::vector<wire::Predictions> decode_grid(std::span<const float> probabilities,
                                           const std::vector<bool>& blank, std::size_t top_k);

// Whether a row of probabilities marks its slot as blank: training makes the answer to a blank slot
// uniform, so its best class is hardly more probable than 1/classes.  A row that is not finite is
// no answer, which is not blank.
bool says_blank(std::span<const float> probabilities);

// The k most probable classes of one row, best first, the lower class among equals; empty, which
// is 'no answer', if any is not finite.
wire::Predictions top_of(std::span<const float> probabilities, std::size_t top_k);

}  // namespace models
