#include "imaging/text.h"

#include <algorithm>
#include <memory>
#include <stdexcept>

#include "imaging/vips_image.h"
#include "wire/check.h"

namespace imaging {
namespace {

// The ascent and the descent of DejaVu Sans add up to 1.164 times the size of the font.
constexpr double kSizePerHeight = 1 / 1.164;

VipsImagePtr render(const std::string& line, int height) {
  const std::unique_ptr<char, decltype(&g_free)> markup(g_markup_escape_text(line.c_str(), -1),
                                                        &g_free);
  const int size = std::max(1, static_cast<int>(height * kSizePerHeight));
  const std::string font = "DejaVu Sans " + std::to_string(size);
  // At 72 dots per inch one point is one pixel.
  return made([&](VipsImage** out) {
    return vips_text(out, markup.get(), "font", font.c_str(), "dpi", 72, nullptr);
  });
}

}  // namespace

Picture text(const std::string& line, int height) {
  COLLAGE_CHECK(height > 0);
  const bool valid = g_utf8_validate(line.c_str(), static_cast<gssize>(line.size()), nullptr);
  const VipsImagePtr ink = valid ? render(line, height) : nullptr;
  std::size_t size = 0;
  const std::unique_ptr<void, decltype(&g_free)> memory(
      ink ? vips_image_write_to_memory(ink.get(), &size) : nullptr, &g_free);
  if (!memory) {
    const std::string why = valid ? vips_error_buffer() : "not UTF-8";
    vips_error_clear();
    throw std::runtime_error("text cannot be drawn: " + why);
  }
  const auto* samples = static_cast<const std::uint8_t*>(memory.get());
  const int width = vips_image_get_width(ink.get());
  Picture mask{width, height, 1, {}};
  mask.pixels.resize(static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
  // The image of vips_text covers the ink only; its offset is the distance from the top of the
  // line.
  const int top = vips_image_get_yoffset(ink.get());
  const int bottom = std::min(top + vips_image_get_height(ink.get()), height);
  for (int y = std::max(top, 0); y < bottom; ++y) {
    std::copy_n(samples + std::ptrdiff_t{y - top} * width, width,
                mask.pixels.begin() + std::ptrdiff_t{y} * width);
  }
  return mask;
}

}  // namespace imaging
