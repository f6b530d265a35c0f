#include "models/research/commands/curve.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fstream>
#include <limits>
#include <map>
#include <stdexcept>
#include <string_view>

namespace models {
namespace {

// The plot's edges in the picture.
constexpr double kLeft = 64, kRight = 736, kTop = 72, kBottom = 344;

// The paper is drawn too: the page around a picture need not follow the scheme that the picture
// sees.
constexpr std::string_view kHead = R"(<svg xmlns="http://www.w3.org/2000/svg" width="800" )"
                                   R"(height="400" viewBox="0 0 800 400" role="img">
<style>
text { font: 12px system-ui, 'DejaVu Sans', sans-serif; fill: #57606a; }
.title { font-size: 16px; font-weight: 600; fill: #1b1f24; }
.end { text-anchor: end; } .middle { text-anchor: middle; }
.paper { fill: #ffffff; } .line { stroke: #d8dee4; } .axis { stroke: #8c959f; }
.curve { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.loss { stroke: #bc4c00; } .accuracy { stroke: #0969da; }
.rate { stroke: #8c959f; stroke-width: 1.5; stroke-dasharray: 2 4; }
text.loss { stroke: none; fill: #bc4c00; } text.accuracy { stroke: none; fill: #0969da; }
.best { fill: #ffffff; stroke: #0969da; stroke-width: 2; }
@media (prefers-color-scheme: dark) {
  text { fill: #9198a1; }
  .title { fill: #f0f6fc; }
  .paper { fill: #0d1117; } .line { stroke: #30363d; } .axis { stroke: #656c76; }
  .loss { stroke: #f0883e; } .accuracy { stroke: #58a6ff; } .rate { stroke: #656c76; }
  text.loss { fill: #f0883e; } text.accuracy { fill: #58a6ff; }
  .best { fill: #0d1117; stroke: #58a6ff; }
}
</style>
<rect class="paper" width="800" height="400" rx="8"/>
)";

std::string number(double value, int decimals) {
  std::array<char, 400> text{};  // The largest double has 309 digits before the point.
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value,
                                 std::chars_format::fixed, decimals);
  return {text.data(), end.ptr};
}

// To three significant digits, with an exponent where that is shorter.
std::string short_number(double value) {
  std::array<char, 32> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::general, 3);
  return {text.data(), end.ptr};
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

// From a value to a place in the picture, with ticks at multiples of 1, 2 or 5 x 10^n.
struct Axis {
  double low = 0, high = 1, step = 1;
  double from = 0, to = 1;  // The places of low and high.

  double place(double value) const { return from + (to - from) * (value - low) / (high - low); }
  int ticks() const { return static_cast<int>(std::lround((high - low) / step)); }
  double tick(int i) const { return low + i * step; }
  int decimals() const {
    return std::clamp(static_cast<int>(-std::floor(std::log10(step) + 1e-9)), 0, 9);
  }
};

// Covers the finite `values` from one rounded tick to another.  Requires step_min > 0.
Axis axis_of(const std::vector<double>& values, double step_min, double from, double to) {
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  if (low > high) return {.from = from, .to = to};
  constexpr double kTicks = 6;
  // Of values that are nearly alike it shows a neighbourhood.
  const double range = std::max({high - low, step_min, 1e-3 * std::abs(high)});
  const double power = std::pow(10.0, std::floor(std::log10(range / kTicks)));
  double step = 10 * power;
  for (const double factor : {5.0, 2.0, 1.0}) {
    if (factor * power * kTicks >= range) step = factor * power;
  }
  step = std::max(step, step_min);
  Axis axis{.low = step * std::floor(low / step), .high = 0, .step = step, .from = from, .to = to};
  axis.high = std::max(step * std::ceil(high / step), axis.low + step);
  return axis;
}

std::string line(const char* kind, double x1, double y1, double x2, double y2) {
  return "<line class=\"" + std::string(kind) + "\" x1=\"" + number(x1, 1) + "\" y1=\"" +
         number(y1, 1) + "\" x2=\"" + number(x2, 1) + "\" y2=\"" + number(y2, 1) + "\"/>\n";
}

std::string text(const char* kind, double x, double y, const std::string& content) {
  return "<text class=\"" + std::string(kind) + "\" x=\"" + number(x, 1) + "\" y=\"" +
         number(y, 1) + "\">" + escaped(content) + "</text>\n";
}

std::string curve(const char* kind, const Axis& x, const Axis& y,
                  std::span<const CurvePoint> points, const std::vector<double>& values) {
  std::string out = "<polyline class=\"curve " + std::string(kind) + "\" points=\"";
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (!std::isfinite(values[i])) continue;
    out += number(x.place(points[i].epoch), 1) + "," + number(y.place(values[i]), 1) + " ";
  }
  return out + "\"/>\n";
}

std::string axes(const Axis& epochs, const Axis& loss, const Axis& accuracy) {
  std::string out;
  for (int i = 0; i <= loss.ticks(); ++i) {
    const double y = loss.place(loss.tick(i));
    out += line("line", kLeft, y, kRight, y);
    out += text("loss end", kLeft - 8, y + 4, number(loss.tick(i), loss.decimals()));
  }
  for (int i = 0; i <= accuracy.ticks(); ++i) {
    const double y = accuracy.place(accuracy.tick(i));
    out += line("axis", kRight, y, kRight + 4, y);
    out += text("accuracy", kRight + 8, y + 4, number(accuracy.tick(i), accuracy.decimals()));
  }
  for (int i = 0; i <= epochs.ticks(); ++i) {
    const double x = epochs.place(epochs.tick(i));
    out += line("axis", x, kBottom, x, kBottom + 4);
    out += text("middle", x, kBottom + 20, number(epochs.tick(i), 0));
  }
  return out + line("axis", kLeft, kBottom, kRight, kBottom) +
         text("loss", kLeft - 48, kTop - 14, "loss") +
         text("accuracy end", kRight + 48, kTop - 14, "held back, %") +
         text("middle", (kLeft + kRight) / 2, 388, "epoch");
}

std::string legend(double peak_rate) {
  const auto entry = [](const char* kind, double x, const std::string& content) {
    return line(("curve " + std::string(kind)).c_str(), x, kTop - 18, x + 24, kTop - 18) +
           text("", x + 30, kTop - 14, content);
  };
  return entry("loss", 184, "loss") + entry("accuracy", 270, "held-back accuracy") +
         entry("rate", 446, "learning rate, peak " + short_number(peak_rate));
}

std::string best_mark(const Axis& x, const Axis& y, std::span<const CurvePoint> points) {
  const CurvePoint* best = nullptr;
  for (const CurvePoint& point : points) {
    const bool better = best == nullptr || point.held_back >= best->held_back;
    if (std::isfinite(point.held_back) && better) best = &point;
  }
  if (best == nullptr) return "";
  const double across = x.place(best->epoch);
  const double down = y.place(100 * best->held_back);
  const bool late = across > (kLeft + kRight) / 2;
  return "<circle class=\"best\" cx=\"" + number(across, 1) + "\" cy=\"" + number(down, 1) +
         "\" r=\"4\"/>\n" +
         text(late ? "accuracy end" : "accuracy", across + (late ? -8 : 8), down - 10,
              "best " + number(100 * best->held_back, 2) + " %");
}

std::vector<double> column(std::span<const CurvePoint> points, double CurvePoint::*value,
                           double factor) {
  std::vector<double> out;
  for (const CurvePoint& point : points) out.push_back(factor * point.*value);
  return out;
}

// Exactly `values.size()` numbers with commas between them.
bool parse(std::string_view row, std::span<double> values) {
  const char* at = row.data();
  const char* end = at + row.size();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0 && (at == end || *at++ != ',')) return false;
    const auto [next, error] = std::from_chars(at, end, values[i]);
    if (error != std::errc()) return false;
    at = next;
  }
  return at == end;
}

}  // namespace

std::string curve_svg(std::span<const CurvePoint> points, const std::string& title) {
  std::vector<double> numbers;
  for (const CurvePoint& point : points) numbers.push_back(point.epoch);
  const std::vector<double> losses = column(points, &CurvePoint::loss, 1);
  const std::vector<double> accuracies = column(points, &CurvePoint::held_back, 100);
  const std::vector<double> rates = column(points, &CurvePoint::learning_rate, 1);
  double peak = 0;
  for (const double rate : rates) peak = std::isfinite(rate) ? std::max(peak, rate) : peak;

  const Axis epochs = axis_of(numbers, 1, kLeft, kRight);
  const Axis loss = axis_of(losses, 0.01, kBottom, kTop);
  const Axis accuracy = axis_of(accuracies, 0.1, kBottom, kTop);
  const Axis rate{.high = peak > 0 ? peak : 1, .from = kBottom, .to = kTop};
  return std::string(kHead) + "<title>" + escaped(title) + "</title>\n" +
         text("title", 16, 30, title) + axes(epochs, loss, accuracy) + legend(peak) +
         curve("rate", epochs, rate, points, rates) + curve("loss", epochs, loss, points, losses) +
         curve("accuracy", epochs, accuracy, points, accuracies) +
         best_mark(epochs, accuracy, points) + "</svg>\n";
}

std::vector<CurvePoint> read_log(const std::filesystem::path& csv) {
  std::ifstream in(csv);
  if (!in) throw std::runtime_error(csv.string() + ": cannot be opened");
  int line_number = 1;
  const auto fail = [&](const std::string& what) {
    throw std::runtime_error(csv.string() + ":" + std::to_string(line_number) + ": " + what);
  };
  std::string row;
  std::getline(in, row);
  if (row != kLogHeader) fail("expected the header " + std::string(kLogHeader));
  std::map<int, CurvePoint> points;
  while (std::getline(in, row)) {
    ++line_number;
    std::array<double, 6> v{};
    if (!parse(row, v)) fail("expected six numbers");
    if (!(v[0] >= 1 && v[0] <= 1e9) || v[0] != std::floor(v[0])) fail("expected an epoch from 1");
    const int epoch = static_cast<int>(v[0]);
    points[epoch] = {epoch, v[1], v[2], v[3], v[4]};
  }
  std::vector<CurvePoint> out;
  for (const auto& [epoch, point] : points) out.push_back(point);
  return out;
}

}  // namespace models
