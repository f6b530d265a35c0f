#include "imaging/webp_frames.h"

#include <cstddef>
#include <string_view>

namespace imaging {

std::int64_t webp_frames(std::span<const std::uint8_t> body) {
  constexpr std::size_t kRiffHeader = 12;
  constexpr std::size_t kChunkHeader = 8;
  const std::string_view text(reinterpret_cast<const char*>(body.data()), body.size());
  std::int64_t frames = 0;
  for (std::size_t at = kRiffHeader; at + kChunkHeader <= body.size();) {
    if (text.substr(at, 4) == "ANMF") ++frames;
    const std::size_t size = body[at + 4] + body[at + 5] * std::size_t{1 << 8} +
                             body[at + 6] * std::size_t{1 << 16} +
                             body[at + 7] * std::size_t{1 << 24};
    at += kChunkHeader + size + size % 2;  // Chunks begin at even offsets.
  }
  return frames;
}

}  // namespace imaging
