// ApproxIFER's code: both curves are Berrut's first rational interpolant (Berrut 1988), in which
// the value at node x_j weighs (-1)^j / (z - x_j), and weights are scaled to sum 1.  From
// Soleymani, Ali, Mahdavifar and Avestimehr 2022, "ApproxIFER: A Model-Agnostic Approach to
// Resilient and Robust Prediction Serving Systems", without its tolerance of wrong answers.
//
// In the decoder the signs alternate among the answers that arrived, as in the authors' program.
// By index in the full list both neighbours of a straggler would have one sign and r(z) a pole
// between them: for K = 3 and one straggler exactly at an a_j.
//
// Pure.
#pragma once

#include "models/research/baselines/curve_code.h"

namespace models {

// For `queries` images and as many coded ones more as may straggle.  Requires both to be at
// least 1.
CurveCode berrut_code(int queries, int stragglers);

}  // namespace models
