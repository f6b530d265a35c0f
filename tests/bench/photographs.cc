#include "tests/bench/photographs.h"

#include <vips/vips.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>

#include "imaging/encode.h"
#include "machine/random.h"

namespace bench {
namespace {

namespace fs = std::filesystem;
using Bytes = std::vector<std::uint8_t>;

// Waves with noise on them.
imaging::Picture drawn(int width, int height, int channels, std::uint64_t seed) {
  machine::Rng rng(seed);
  imaging::Picture picture{width, height, channels, {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < channels; ++c) {
        const double wave = std::sin(x * 0.031 * (c + 1)) * std::cos(y * 0.047) * 80;
        const double noise = static_cast<double>(rng.below(56));
        picture.pixels.push_back(static_cast<std::uint8_t>(100 + wave + noise));
      }
    }
  }
  return picture;
}

Bytes jpeg_of(const imaging::Picture& picture, int quality) {
  const std::unique_ptr<VipsImage, decltype(&g_object_unref)> image(
      vips_image_new_from_memory(picture.pixels.data(), picture.pixels.size(), picture.width,
                                 picture.height, picture.channels, VIPS_FORMAT_UCHAR),
      &g_object_unref);
  image->Type = VIPS_INTERPRETATION_sRGB;
  void* data = nullptr;
  std::size_t size = 0;
  if (vips_jpegsave_buffer(image.get(), &data, &size, "Q", quality, nullptr) != 0) {
    throw std::runtime_error("libvips cannot write a JPEG");
  }
  const auto* bytes = static_cast<const std::uint8_t*>(data);
  Bytes out(bytes, bytes + size);
  g_free(data);
  return out;
}

std::vector<Bytes> read(const fs::path& folder) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string ending = entry.path().extension().string();
    if (ending == ".jpg" || ending == ".jpeg" || ending == ".JPEG") paths.push_back(entry.path());
  }
  if (paths.empty()) throw std::runtime_error("no JPEG files in " + folder.string());
  std::ranges::sort(paths);
  std::vector<Bytes> files;
  for (const fs::path& path : paths) {
    std::ifstream file(path, std::ios::binary);
    files.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return files;
}

}  // namespace

Bytes small_png() { return imaging::encode_png(drawn(28, 28, 1, 1)); }

Bytes small_jpeg() { return jpeg_of(drawn(32, 32, 3, 1), 90); }

std::vector<Bytes> photographs() {
  if (const char* folder = std::getenv("COLLAGE_BENCH_PHOTOGRAPHS")) return read(folder);
  std::vector<Bytes> files;
  for (const std::uint64_t seed : {1, 2, 3}) files.push_back(jpeg_of(drawn(500, 375, 3, seed), 90));
  return files;
}

}  // namespace bench
