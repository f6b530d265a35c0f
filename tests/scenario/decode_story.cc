#include "tests/scenario/decode_story.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <utility>

namespace scenario {
namespace {

std::pair<long, long> pair_of(const std::string& text, char separator) {
  const auto parts = split(text, separator);
  if (parts.size() != 2) throw std::runtime_error("'" + text + "' is no pair");
  return {std::stol(parts[0]), std::stol(parts[1])};
}

// The index as an exact fraction, worked out in whole pixels apart from imaging::jaccard, which
// must agree.
std::string fraction(const imaging::Rect& a, const imaging::Rect& b) {
  const auto overlap = [](double from, double length, double other, double other_length) {
    return std::lround(
        std::max(0.0, std::min(from + length, other + other_length) - std::max(from, other)));
  };
  const long both = overlap(a.x, a.width, b.x, b.width) * overlap(a.y, a.height, b.y, b.height);
  const long either = std::lround(a.width * a.height + b.width * b.height) - both;
  const double index = imaging::jaccard(a, b);
  if (std::abs(index - static_cast<double>(both) / static_cast<double>(either)) > 1e-12) {
    throw std::runtime_error("imaging::jaccard says " + std::to_string(index));
  }
  if (both == 0) return "0";
  const long common = std::gcd(both, either);
  return both == either ? "1"
                        : std::to_string(both / common) + "/" + std::to_string(either / common);
}

std::string number(float value) {
  const std::string text = std::to_string(value);
  return text.substr(0, text.find('.') + 3);
}

}  // namespace

std::string DecodeStory::run(const Command& command) {
  if (command.name == "grid") {
    const auto [width, height] = pair_of(command.text("tile"), 'x');
    grid_ = {static_cast<int>(command.number("side", 3)), static_cast<int>(width),
             static_cast<int>(height)};
    boxes_.clear();
    if (!imaging::valid(grid_)) command.fail("no such grid");
    return "";
  }
  if (command.name == "box") return box(command);
  if (command.name == "decode") return decode();
  command.fail("unknown command");
}

std::string DecodeStory::box(const Command& command) {
  const auto [x, y] = pair_of(command.text("at"), ',');
  const auto [width, height] = pair_of(command.text("size"), 'x');
  const imaging::Rect rect{static_cast<double>(x), static_cast<double>(y),
                           static_cast<double>(width), static_cast<double>(height)};
  boxes_.push_back(
      {rect, {command.number("label", 0)}, static_cast<float>(command.real("score", 0))});
  std::string shares;
  for (wire::Slot slot = 0; slot < grid_.slots(); ++slot) {
    const std::string share = fraction(rect, imaging::cell(grid_, slot));
    if (share != "0") shares += " " + std::to_string(slot) + ": " + share + ",";
  }
  const auto owner = imaging::cell_of(rect, grid_);
  return "box" + (shares.empty() ? " over no cell," : shares) +
         (owner ? " so slot " + std::to_string(*owner) : " so no slot") + "\n";
}

std::string DecodeStory::decode() {
  std::string out;
  const auto answers = models::decode_boxes(boxes_, grid_);
  for (std::size_t slot = 0; slot < answers.size(); ++slot) {
    out += "slot " + std::to_string(slot) + ": ";
    out += answers[slot] ? "class " + std::to_string(answers[slot]->label.value) + ", score " +
                               number(answers[slot]->score)
                         : "no answer";
    out += "\n";
  }
  boxes_.clear();
  return out;
}

}  // namespace scenario
