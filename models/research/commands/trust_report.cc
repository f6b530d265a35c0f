#include "models/research/commands/trust_report.h"

#include <fmt/format.h>

namespace models {
namespace {

std::string line_of(const char* what, const Share& share, const char* unit = "%") {
  return fmt::format("  {:<26}{:6.2f} {:<6} (95 %: {:.2f} to {:.2f})\n", what, 100 * share.value,
                     unit, 100 * share.low, 100 * share.high);
}

// What a collage loses: of labelled pictures those that only the s-CNN has right, less those that
// only the collage has; of others those on which the two disagree.
Share lost_of(const Trust& trust, bool labelled) {
  if (labelled) return trust.loss;
  return {.value = 1 - trust.agree.value, .low = 1 - trust.agree.high, .high = 1 - trust.agree.low};
}

// "4.20 points (95 %: 1.10 to 7.30)"
std::string points(const Share& lost, bool labelled) {
  return fmt::format("{:.2f} {} (95 %: {:.2f} to {:.2f})", 100 * lost.value,
                     labelled ? "points" : "%", 100 * lost.low, 100 * lost.high);
}

std::string gate_text(std::span<const AnswerPair> pairs, bool labelled, double may_lose) {
  const std::optional<Gate> gate = lowest_gate(pairs, may_lose);
  if (!gate) return "  No bound on its probability would make it so.\n";
  return fmt::format(
      "  Its answers with a probability of {:.3f} or more would be, by these pictures:\n"
      "  they are {:.1f} % of all, and {} {}.\n",
      gate->confidence, 100 * gate->answered, labelled ? "lose" : "differ in",
      points(lost_of(gate->trust, labelled), labelled));
}

nlohmann::ordered_json json_of(const Share& share) {
  return {{"value", share.value}, {"low", share.low}, {"high", share.high}};
}

}  // namespace

std::string trust_report(std::span<const AnswerPair> pairs, bool labelled,
                         const std::string& of_what, double may_lose) {
  const Trust trust = trust_of(pairs);
  std::string text =
      fmt::format("{} {} ({} labels):\n", trust.pictures, of_what, labelled ? "with" : "without");
  if (labelled) {
    text += line_of("the s-CNN is right on", trust.single_right);
    text += line_of("the collage is right on", trust.collage_right);
    text += line_of("the collage loses", trust.loss, "points");
  }
  text += line_of("both give the same class", trust.agree);
  const Share lost = lost_of(trust, labelled);
  const bool good = within(lost.value, may_lose);
  text += fmt::format("The collage is {} enough to answer for the s-CNN.\n",
                      good ? "good" : "NOT good");
  if (lost.value < 0) {
    text += fmt::format("  It gains {:.2f} points.\n", -100 * lost.value);
  } else {
    text += fmt::format("  It {} {:.2f} {}; up to {:g} are allowed.\n",
                        labelled ? "loses" : "gives another class for", 100 * lost.value,
                        labelled ? "points" : "% of the pictures", 100 * may_lose);
  }
  if (!good) return text + gate_text(pairs, labelled, may_lose);
  if (within(lost.high, may_lose)) return text;
  return text +
         fmt::format("  But with so few pictures it may be up to {:.2f}: judge it by more.\n",
                     100 * lost.high);
}

nlohmann::ordered_json trust_json(std::span<const AnswerPair> pairs, bool labelled,
                                  double may_lose) {
  const Trust trust = trust_of(pairs);
  const bool good = within(lost_of(trust, labelled).value, may_lose);
  nlohmann::ordered_json gate;
  if (const auto found = good ? std::nullopt : lowest_gate(pairs, may_lose)) {
    gate = {{"confidence", found->confidence},
            {"answered", found->answered},
            {"lost", json_of(lost_of(found->trust, labelled))}};
  }
  const auto if_labelled = [&](const Share& share) {
    return labelled ? json_of(share) : nlohmann::ordered_json();
  };
  return {{"pictures", trust.pictures},
          {"labelled", labelled},
          {"single_right", if_labelled(trust.single_right)},
          {"collage_right", if_labelled(trust.collage_right)},
          {"agree", json_of(trust.agree)},
          {"loss", if_labelled(trust.loss)},
          {"may_lose", may_lose},
          {"good_enough", good},
          {"gate", gate}};
}

}  // namespace models
