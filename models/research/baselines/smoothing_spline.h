// NeRCC's code: both curves are smoothing splines, which need not pass through the values at their
// nodes.  From Moradi and Maddah-Ali 2024, "NeRCC: Nested-Regression Coded Computing for Resilient
// Distributed Prediction Serving Systems", and Moradi, Tahmasebi and Maddah-Ali 2024, "Coded
// Computing for Resilient Distributed Computing: A Learning-Theoretic Framework" (LeTCC).
//
// Pure.
#pragma once

#include "models/research/baselines/curve_code.h"

namespace models {

// The natural cubic spline g with the least sum of (value - g(node))^2 plus `lambda` times the
// integral of g''^2; beyond the outermost nodes it goes on straight.  0 passes through all values,
// a very large lambda gives the straight line of least squares.  Requires lambda of 0 or more; the
// curve requires at least 3 nodes.
Curve smoothing_spline(double lambda);

// The lambdas of the two curves.
struct Smoothness {
  double encoder = 0;
  double decoder = 0;

  bool operator==(const Smoothness&) const = default;
};

// Requires at least 3 queries, and as many workers or more.
CurveCode spline_code(int queries, int workers, const Smoothness& smoothness);

}  // namespace models
