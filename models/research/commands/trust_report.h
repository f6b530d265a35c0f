// The last lines of `from` and of `eval --collage`: whether a collage may answer for its s-CNN.
// Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "models/research/evaluation/trust.h"

namespace models {

// What a collage may lose and still be called good enough.  The paper's collages of nine lost 3.8
// points (Narra et al. 2019).
inline constexpr double kMayLose = 0.04;

// Some lines, each with its end.  `of_what` names the pictures: "held-back pictures".  With labels
// the collage is judged by how many more pictures the s-CNN answers rightly, without by how often
// the two disagree; `may_lose` is the bar of both, 0..1.
std::string trust_report(std::span<const AnswerPair> pairs, bool labelled,
                         const std::string& of_what, double may_lose);

// The same figures: {"pictures", "labelled", "single_right", "collage_right", "agree", "loss",
// "may_lose", "good_enough", "gate"}; shares, 0..1, as {"value", "low", "high"}, and the gate as
// {"confidence", "answered", "lost"} or null.  Without labels nobody knows who is right: the first
// two and "loss" are null.
nlohmann::ordered_json trust_json(std::span<const AnswerPair> pairs, bool labelled,
                                  double may_lose);

}  // namespace models
