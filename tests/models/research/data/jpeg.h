// Small JPEG files made by a test, as photographs come.
#pragma once

#include <gtest/gtest.h>
#include <vips/vips.h>

#include <cstdint>
#include <vector>

namespace models {

// A grey JPEG of one shade.  Requires an imaging::Library.
inline std::vector<std::uint8_t> jpeg(int width, int height, std::uint8_t shade) {
  const std::vector<std::uint8_t> pixels(static_cast<std::size_t>(width * height), shade);
  VipsImage* image = vips_image_new_from_memory_copy(pixels.data(), pixels.size(), width, height, 1,
                                                     VIPS_FORMAT_UCHAR);
  void* data = nullptr;
  std::size_t size = 0;
  EXPECT_EQ(vips_jpegsave_buffer(image, &data, &size, "Q", 90, nullptr), 0) << vips_error_buffer();
  g_object_unref(image);
  const auto* bytes = static_cast<const std::uint8_t*>(data);
  std::vector<std::uint8_t> out(bytes, bytes + size);
  g_free(data);
  return out;
}

}  // namespace models
