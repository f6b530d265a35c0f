#include "imaging/exif.h"

#include <cstddef>
#include <string_view>

namespace imaging {
namespace {

using namespace std::string_view_literals;

constexpr unsigned kOrientationTag = 0x0112;
constexpr unsigned kShort = 3;
constexpr unsigned kLong = 4;
constexpr std::size_t kEntryBytes = 12;

// Numbers in the byte order of the data; zero beyond its end.
class Numbers {
 public:
  Numbers(std::span<const std::uint8_t> bytes, bool little) : bytes_(bytes), little_(little) {}

  std::size_t size() const { return bytes_.size(); }
  std::uint32_t at(std::size_t offset, int length) const {
    std::uint32_t value = 0;
    for (int i = 0; i < length; ++i) {
      const auto step = static_cast<std::size_t>(little_ ? length - 1 - i : i);
      value = value << 8 | (offset + step < bytes_.size() ? bytes_[offset + step] : 0u);
    }
    return value;
  }

 private:
  std::span<const std::uint8_t> bytes_;
  bool little_;
};

}  // namespace

Orientation orientation_of_exif(std::span<const std::uint8_t> exif) {
  std::string_view text(reinterpret_cast<const char*>(exif.data()), exif.size());
  if (text.starts_with("Exif\0\0"sv)) {
    exif = exif.subspan(6);
    text.remove_prefix(6);
  }
  const bool little = text.starts_with("II*\0"sv);
  if (!little && !text.starts_with("MM\0*"sv)) return kUpright;
  const Numbers numbers(exif, little);
  const std::size_t directory = numbers.at(4, 4);
  const std::size_t entries = numbers.at(directory, 2);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + i * kEntryBytes;
    if (entry + kEntryBytes > numbers.size()) break;
    if (numbers.at(entry, 2) != kOrientationTag) continue;
    // The standard says short; cameras that write a long mean the same.
    const std::uint32_t type = numbers.at(entry + 2, 2);
    const std::uint32_t value = type == kShort  ? numbers.at(entry + 8, 2)
                                : type == kLong ? numbers.at(entry + 8, 4)
                                                : 0;
    return value >= 1 && value <= 8 ? static_cast<Orientation>(value) : kUpright;
  }
  return kUpright;
}

}  // namespace imaging
