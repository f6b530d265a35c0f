#include "tests/system/zmtp.h"

#include <cstdint>
#include <span>

namespace system_test::zmtp {
namespace {

constexpr std::uint8_t kMore = 1, kLong = 2, kCommand = 4;

std::string big_endian(std::uint64_t number, std::size_t bytes) {
  std::string text(bytes, '\0');
  for (std::size_t i = bytes; i-- > 0; number >>= 8) text[i] = static_cast<char>(number & 0xff);
  return text;
}

std::string frame(std::uint8_t flags, std::string_view body) {
  const bool large = body.size() > 255;
  std::string text(1, static_cast<char>(large ? flags | kLong : flags));
  return text + big_endian(body.size(), large ? 8 : 1) + std::string(body);
}

std::string property(std::string_view name, std::string_view value) {
  return big_endian(name.size(), 1) + std::string(name) + big_endian(value.size(), 4) +
         std::string(value);
}

std::string text_of(std::span<const std::uint8_t> bytes) { return {bytes.begin(), bytes.end()}; }

}  // namespace

std::string greeting() {
  std::string text = "\xff" + std::string(8, '\0') + "\x7f\x03" + std::string(1, '\0') + "NULL";
  return text + std::string(std::size_t{kGreetingBytes} - text.size(), '\0');
}

std::string ready(std::string_view routing_id) {
  return frame(kCommand, big_endian(5, 1) + "READY" + property("Socket-Type", "DEALER") +
                             property("Identity", routing_id));
}

std::string message(const wire::Message& message) {
  const wire::Frames frames = encode(message);
  std::string text = frame(frames.has_payload ? kMore : 0, text_of(frames.header));
  if (frames.has_payload) text += frame(0, text_of(frames.payload.bytes()));
  return text;
}

std::size_t messages_in(std::string_view received) {
  std::size_t count = 0;
  for (std::size_t at = kGreetingBytes; at < received.size();) {
    const auto byte = [&](std::size_t i) {
      return static_cast<std::uint8_t>(i < received.size() ? received[i] : '\0');
    };
    const std::uint8_t flags = byte(at++);
    const std::size_t length_bytes = (flags & kLong) != 0 ? 8 : 1;
    std::uint64_t length = 0;
    for (std::size_t i = 0; i < length_bytes; ++i) length = length << 8 | byte(at++);
    count += (flags & (kCommand | kMore)) == 0;
    at += length;
  }
  return count;
}

}  // namespace system_test::zmtp
