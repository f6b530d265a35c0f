// A code of mixtures of images that the s-CNN itself answers, no model of their own:
//
//     K images at a_j -> curve u(z) -> N coded images u(b_i) -> s-CNN -> answers at b_i
//     K answers at a_j <- curve r(z) through or near the answers that arrived <--+
//
// The a_j are Chebyshev points of the first kind, the b_i of the second.  The curves make the code:
// ApproxIFER's (berrut.h) or NeRCC's (smoothing_spline.h).
//
// Pure.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

namespace models {

// A curve that is linear in the values that it is drawn by: what each of them, at `nodes` (falling,
// at least one), counts for at z.
using Curve = std::function<std::vector<double>(double z, const std::vector<double>& nodes)>;

class CurveCode {
 public:
  // Requires at least one query, and as many workers as queries or more, at least 2.
  CurveCode(int queries, int workers, Curve encoder, Curve decoder);

  std::size_t queries() const { return query_points_.size(); }
  std::size_t workers() const { return coded_points_.size(); }

  // `inputs` float [queries(), n], a normalised image of n numbers a row; returns float
  // [workers(), n].
  std::vector<float> encode(std::span<const float> inputs, std::size_t n) const;

  // `answers` float [workers(), classes]; rows that did not arrive are not read.  Returns float
  // [queries(), classes].  Requires at least queries() to have arrived.
  std::vector<float> decode(std::span<const float> answers, const std::vector<bool>& arrived,
                            std::size_t classes) const;

 private:
  std::vector<double> query_points_;  // a_j, falling.
  std::vector<double> coded_points_;  // b_i, falling.
  Curve encoder_;
  Curve decoder_;
};

}  // namespace models
