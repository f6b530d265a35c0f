#include "gateway/base64.h"

#include <sodium.h>

#include <utility>

namespace gateway {

std::optional<wire::Payload> decode_base64(std::string_view text) {
  static constexpr std::string_view kEnd = ";base64,";
  if (text.starts_with("data:")) {
    const std::size_t end = text.substr(0, 128).find(kEnd);
    if (end == text.npos) return std::nullopt;
    text.remove_prefix(end + kEnd.size());
  }
  wire::Payload::Bytes bytes(text.size() / 4 * 3 + 3);
  std::size_t size = 0;
  // Without an end pointer the whole text must be base64.
  if (sodium_base642bin(bytes.data(), bytes.size(), text.data(), text.size(), "\r\n", &size,
                        nullptr, sodium_base64_VARIANT_ORIGINAL) != 0) {
    return std::nullopt;
  }
  bytes.resize(size);
  return wire::Payload(std::move(bytes));
}

}  // namespace gateway
