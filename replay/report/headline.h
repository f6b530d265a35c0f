// What a report says first: one sentence and up to three bars.
//
// The sentence compares the run's own policy (one with collages, if there is one) with the others:
//
//     Policy collage answers 99 % of batches within 242 ms, 0.57 of hedge's 426 ms and 0.31 of
//     none's 769 ms, for 10.2 % extra work.
//
// Where not all images are answered it says how many are, for the times are of those alone:
//
//     Policy none answers 44.17 % of images, 99 % of these within 350 ms, for 0.0 % extra work.
//
// A sweep is told by the images that are answered at its highest load; a comparison of runs by the
// policy that most of them have.
#pragma once

#include <string>
#include <vector>

#include "replay/report/summary.h"

namespace replay::report {

struct Bar {
  std::string label;
  double share = 0;   // Length, 0 to 1; the longest of a time has 1.
  std::string value;  // For people, with its unit.
  bool ours = false;  // Whether the sentence is about this one.

  friend bool operator==(const Bar&, const Bar&) = default;
};

struct Headline {
  std::string sentence;
  std::string measure;    // What the bars show: "p99 of a batch".
  std::vector<Bar> bars;  // Others first, at most three in all.
};

// Empty if the summary has neither policies nor load points.
Headline headline(const Summary& summary);

}  // namespace replay::report
