// Whether a collage is good enough to answer for its s-CNN: both asked about the same pictures.
//
// Pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace models {

inline constexpr int kNoAnswer = -1;

// What both answer for a picture, as classes.
struct AnswerPair {
  int single = kNoAnswer;
  int collage = kNoAnswer;
  double confidence = 0;  // Of the collage, the probability that it gives its class, 0..1.
  int truth = 0;          // The label or, of a picture without, the s-CNN's class.
};

// A share of a sample, 0..1, and the ends of its 95 % confidence interval.
struct Share {
  double value = 0;
  double low = 0;
  double high = 0;
};

// The interval is that of Wilson 1927.  Requires part <= whole and whole > 0.
Share share_of(std::size_t part, std::size_t whole);

struct Trust {
  std::size_t pictures = 0;
  Share single_right;
  Share collage_right;
  Share agree;  // Both give the same class.
  // How much more of the pictures the s-CNN answers rightly, -1..1.  Its interval is that of paired
  // samples, narrower than those of the two shares.
  Share loss;
};

// Requires a pair at least.
Trust trust_of(std::span<const AnswerPair> pairs);

// A bound on the collage's confidence below which its answers are not used.
struct Gate {
  double confidence = 0;
  double answered = 0;  // The share of the pictures whose answers are at or above it.
  Trust trust;          // Of these pictures.
};

// The lowest bound above which the collage loses at most `may_lose`, 0..1, of the pictures that it
// then answers; nullopt if there is none that leaves kGateAnswersMin answers, which too few answers
// pass by chance.
inline constexpr std::size_t kGateAnswersMin = 30;
std::optional<Gate> lowest_gate(std::span<const AnswerPair> pairs, double may_lose);

// Whether a share of pictures is at most `may_lose`, for shares that are quotients of small
// numbers.
bool within(double lost, double may_lose);

}  // namespace models
