#include "imaging/encode.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <string>
#include <system_error>

#include "imaging/vips_image.h"
#include "wire/check.h"

namespace imaging {
namespace {

void write(const std::filesystem::path& path, const std::vector<std::uint8_t>& bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  file.close();  // Errors of the last write appear only here.
  if (!file) throw std::runtime_error(std::string("cannot be written: ") + std::strerror(errno));
}

}  // namespace

std::vector<std::uint8_t> encode_png(const Picture& picture) {
  COLLAGE_CHECK(picture.width > 0 && picture.height > 0);
  COLLAGE_CHECK(picture.channels == 1 || picture.channels == 3);
  COLLAGE_CHECK(picture.pixels.size() == static_cast<std::size_t>(picture.width) *
                                             static_cast<std::size_t>(picture.height) *
                                             static_cast<std::size_t>(picture.channels));
  const VipsImagePtr image(vips_image_new_from_memory(picture.pixels.data(), picture.pixels.size(),
                                                      picture.width, picture.height,
                                                      picture.channels, VIPS_FORMAT_UCHAR));
  void* data = nullptr;
  std::size_t size = 0;
  if (!image || vips_pngsave_buffer(image.get(), &data, &size, "strip", TRUE, nullptr) != 0) {
    const std::string why = vips_error_buffer();
    vips_error_clear();
    throw std::runtime_error("a picture cannot be encoded: " + why);
  }
  const std::unique_ptr<void, decltype(&g_free)> memory(data, &g_free);
  const auto* bytes = static_cast<const std::uint8_t*>(data);
  return {bytes, bytes + size};
}

void write_png(const std::filesystem::path& path, const Picture& picture) {
  // In the same folder, because a rename is atomic only within a file system.
  std::filesystem::path draft = path;
  draft += ".new";
  try {
    write(draft, encode_png(picture));
    std::filesystem::rename(draft, path);
  } catch (const std::exception& error) {
    std::error_code ignored;
    std::filesystem::remove(draft, ignored);
    throw std::runtime_error(path.string() + ": " + error.what());
  }
}

}  // namespace imaging
