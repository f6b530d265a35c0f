// How many images a push without a rate keeps open: as many as the pipeline takes in time.
//
// Much as TCP shares a link (RFC 5681): the window grows by one for each answer until the first
// setback, by a sixteenth, but one at least, for a window of answers from then on, and is halved at
// a setback.  A pipeline of slow stages so gets few images at once, each of which it answers before
// its deadline; a quick one soon gets as many as its credit allows; and producers that push at the
// same time share it.
//
// Pure.
#pragma once

#include <cstddef>

namespace producer {

class Pace {
 public:
  static constexpr std::size_t kFirst = 16;

  // Images that may be open, at least 1.
  std::size_t window() const { return window_; }

  void on_answer();
  // The pipeline has refused an image because there are too many, or left one without an answer,
  // while `open` were open, this one included.  Further setbacks halve nothing until so many are
  // done: they are of the same crowd.
  void on_setback(std::size_t open);
  // An image is no longer open, for whatever reason.  Called after the two above.
  void on_done();

 private:
  std::size_t window_ = kFirst;
  std::size_t answers_ = 0;  // Since the window grew last.
  std::size_t crowd_ = 0;    // Images of the last setback's crowd that are still open.
  bool growing_ = true;      // Until the first setback.
};

}  // namespace producer
