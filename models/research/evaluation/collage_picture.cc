#include "models/research/evaluation/collage_picture.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "imaging/text.h"
#include "wire/check.h"

namespace models {
namespace {

using Colour = std::array<std::uint8_t, 3>;

constexpr Colour kRight = {26, 127, 55};
constexpr Colour kWrong = {207, 34, 46};
constexpr Colour kGrey = {110, 119, 129};
constexpr Colour kBlack = {31, 35, 40};
constexpr std::uint8_t kPaper = 255;

// Pixels of the picture.
constexpr int kMargin = 8;
constexpr int kLineHeight = 18;
constexpr int kBandHeight = 4 + 2 * kLineHeight;

std::uint8_t& sample(imaging::Picture& picture, int x, int y, int channel) {
  return picture.pixels[static_cast<std::size_t>((y * picture.width + x) * 3 + channel)];
}

struct Caption {
  std::string first;
  std::string second;  // Empty for none.
  Colour colour;
};

Caption caption_of(const DrawnSlot& slot, const std::vector<std::string>& class_names) {
  if (slot.blank) return {"blank", "", kGrey};
  const auto name = [&](std::size_t label) {
    COLLAGE_CHECK(label < class_names.size());
    return class_names[label];
  };
  const std::string truth =
      slot.truth < 0 ? "" : "was " + name(static_cast<std::size_t>(slot.truth));
  if (!slot.answer) return {"no answer", truth, kGrey};
  const auto label = static_cast<std::size_t>(slot.answer->value);
  const std::string answer =
      name(label) + " " + std::to_string(std::lround(100 * slot.probability)) + "%";
  if (slot.truth < 0) return {answer, "", kBlack};
  if (static_cast<std::size_t>(slot.truth) == label) return {answer, "", kRight};
  return {answer, truth, kWrong};
}

// One line within `width` pixels, in smaller letters if it must be, and cut off if that is not
// enough.
void write(imaging::Picture& picture, int left, int top, int width, const std::string& line,
           const Colour& colour) {
  if (line.empty()) return;
  constexpr int kHeightMin = 12;
  imaging::Picture mask = imaging::text(line, kLineHeight);
  if (mask.width > width) {
    mask = imaging::text(line, std::max(kHeightMin, kLineHeight * width / mask.width));
  }
  for (int y = 0; y < mask.height; ++y) {
    for (int x = 0; x < std::min(mask.width, width); ++x) {
      const int cover = mask.pixels[static_cast<std::size_t>(y * mask.width + x)];
      for (int c = 0; c < 3; ++c) {
        const int ink = colour[static_cast<std::size_t>(c)];
        sample(picture, left + x, top + y, c) =
            static_cast<std::uint8_t>((cover * ink + (255 - cover) * kPaper) / 255);
      }
    }
  }
}

// A tile at `factor` times its size.
void enlarge(imaging::Picture& picture, int left, int top, std::span<const std::uint8_t> canvas,
             const imaging::Grid& grid, int channels, int slot, int factor) {
  for (int y = 0; y < grid.tile_height * factor; ++y) {
    for (int x = 0; x < grid.tile_width * factor; ++x) {
      const int from_x = slot % grid.side * grid.tile_width + x / factor;
      const int from_y = slot / grid.side * grid.tile_height + y / factor;
      const int from = (from_y * grid.width() + from_x) * channels;
      for (int c = 0; c < 3; ++c) {
        sample(picture, left + x, top + y, c) =
            canvas[static_cast<std::size_t>(from + (channels == 3 ? c : 0))];
      }
    }
  }
}

}  // namespace

imaging::Picture draw_collage(std::span<const std::uint8_t> canvas, const imaging::Grid& grid,
                              int channels, std::span<const DrawnSlot> slots,
                              const std::vector<std::string>& class_names) {
  COLLAGE_CHECK(imaging::valid(grid) && (channels == 1 || channels == 3));
  COLLAGE_CHECK(canvas.size() == static_cast<std::size_t>(grid.width()) *
                                     static_cast<std::size_t>(grid.height()) *
                                     static_cast<std::size_t>(channels));
  COLLAGE_CHECK(slots.size() == static_cast<std::size_t>(grid.slots()));
  const int shorter = std::min(grid.tile_width, grid.tile_height);
  const int factor = (kDrawnTileMin + shorter - 1) / shorter;
  const int width = grid.tile_width * factor;
  const int height = grid.tile_height * factor;

  imaging::Picture picture{kMargin + grid.side * (width + kMargin),
                           kMargin + grid.side * (height + kBandHeight + kMargin),
                           3,
                           {}};
  picture.pixels.assign(
      static_cast<std::size_t>(picture.width) * static_cast<std::size_t>(picture.height) * 3,
      kPaper);
  for (int slot = 0; slot < grid.slots(); ++slot) {
    const int left = kMargin + slot % grid.side * (width + kMargin);
    const int top = kMargin + slot / grid.side * (height + kBandHeight + kMargin);
    enlarge(picture, left, top, canvas, grid, channels, slot, factor);
    const Caption caption = caption_of(slots[static_cast<std::size_t>(slot)], class_names);
    const int under = top + height + 2;
    write(picture, left, under, width, caption.first, caption.colour);
    write(picture, left, under + kLineHeight, width, caption.second, caption.colour);
  }
  return picture;
}

}  // namespace models
