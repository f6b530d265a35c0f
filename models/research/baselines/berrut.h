// ApproxIFER's code: mixtures of images that the s-CNN itself answers, no model of their own.
//
//     K images at a_j -> curve u(z) -> K+S coded images u(b_i) -> s-CNN -> answers at b_i
//     K answers at a_j <- curve r(z) through the answers that arrived <------+
//
// Both curves are Berrut's first rational interpolant (Berrut 1988): the value at node x_j weighs
// (-1)^j / (z - x_j), and weights are scaled to sum 1.  The a_j are Chebyshev points of the first
// kind, the b_i of the second.  From Soleymani, Ali, Mahdavifar and Avestimehr 2022, "ApproxIFER:
// A Model-Agnostic Approach to Resilient and Robust Prediction Serving Systems", without its
// tolerance of wrong answers.
//
// In the decoder the signs alternate among the answers that arrived, as in the authors' program.
// By index in the full list both neighbours of a straggler would have one sign and r(z) a pole
// between them: for K = 3, S = 1 exactly at an a_j.
//
// Pure.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace models {

class BerrutCode {
 public:
  // Requires both to be at least 1.
  BerrutCode(int queries, int stragglers);

  // How many coded queries there are: queries + stragglers.
  std::size_t workers() const { return coded_points_.size(); }

  // `inputs` float [queries, n], a normalised image of n numbers a row; returns float
  // [workers(), n].
  std::vector<float> encode(std::span<const float> inputs, std::size_t n) const;

  // `answers` float [workers(), classes]; rows that did not arrive are not read.  Returns float
  // [queries, classes].  Requires at least `queries` to have arrived.
  std::vector<float> decode(std::span<const float> answers, const std::vector<bool>& arrived,
                            std::size_t classes) const;

 private:
  std::vector<double> query_points_;  // a_j, falling.
  std::vector<double> coded_points_;  // b_i, falling.
};

}  // namespace models
