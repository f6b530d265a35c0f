#include <algorithm>
#include <concepts>
#include <cstdint>
#include <msgpack.hpp>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "wire/check.h"
#include "wire/codec.h"
#include "wire/fields.h"
#include "wire/utf8.h"

namespace wire {
namespace {

// The largest message: 16 bytes cover a counter's value and the prefixes of its name and array.
static_assert(kCountersMax * (kNameMax + 16) < kHeaderBytesMax, "a full status must fit");
// Likewise: 160 bytes cover the numbers of a report and the prefixes of its texts and arrays.
static_assert(kWorkersMax * (kHostMax + kUnitMax + kVersionMax + 160) < kHeaderBytesMax,
              "a full list of workers must fit");

struct Buffer {
  std::vector<std::uint8_t> bytes;
  void write(const char* data, std::size_t size) { bytes.insert(bytes.end(), data, data + size); }
};

class Encoder {
 public:
  // 256 bytes hold most messages, so that one allocation is enough for them.
  Encoder(Frames& frames, std::uint32_t protocol) : frames_(frames), protocol_(protocol) {
    buffer_.bytes.reserve(256);
  }

  template <class M>
  void message(const M& m, std::size_t index) {
    packer_.pack_array(2 + count<M>(protocol_));
    packer_.pack_uint32(protocol_);
    packer_.pack_uint64(index + 1);  // Kinds count from 1; 0 is never valid.
    fields(m);
    COLLAGE_CHECK(buffer_.bytes.size() <= kHeaderBytesMax);  // A peer would drop a larger header.
    frames_.header = std::move(buffer_.bytes);
  }

 private:
  template <class T>
  void fields(const T& value) {
    const auto put_field = [&](const auto& field) {
      if (first_version(field) <= protocol_) put(value.*member(field), most(field));
    };
    std::apply([&](const auto&... field) { (put_field(field), ...); }, kFields<T>);
  }
  template <Listed T>
  void put(const T& value, std::uint64_t = 0) {
    packer_.pack_array(count<T>(protocol_));
    fields(value);
  }
  template <class T>
  void put(const std::vector<T>& values, std::uint64_t = 0) {
    COLLAGE_CHECK(values.size() <= kCountMax<T>);
    packer_.pack_array(static_cast<std::uint32_t>(values.size()));
    for (const T& value : values) put(value);
  }
  void put(const std::vector<bool>& flags, std::uint64_t) {
    // A size and a mask, since kSlotsMax bits fit into one number.
    COLLAGE_CHECK(flags.size() <= kSlotsMax);
    std::uint64_t mask = 0;
    for (std::size_t i = 0; i < flags.size(); ++i) mask |= std::uint64_t{flags[i]} << i;
    packer_.pack_array(2);
    packer_.pack_uint64(flags.size());
    packer_.pack_uint64(mask);
  }
  template <std::unsigned_integral T>
  void put(T value, std::uint64_t max) {
    COLLAGE_CHECK(value <= max);
    packer_.pack_uint64(value);
  }
  template <class E>
  requires std::is_enum_v<E>
  void put(E value, std::uint64_t) {
    const auto number = static_cast<std::uint64_t>(as_of(protocol_, value));
    COLLAGE_CHECK(known<E>(number));
    packer_.pack_uint64(number);
  }
  template <class Tag>
  void put(Id<Tag> id, std::uint64_t = 0) {
    packer_.pack_uint64(id.value);
  }
  // Clamped and not checked: a remaining time may have run out on its way here, which is no error.
  void put(Duration value, std::uint64_t = 0) {
    packer_.pack_uint64(
        static_cast<std::uint64_t>(std::clamp(value, Duration(0), kDurationMax).count()));
  }
  void put(float value, std::uint64_t) {
    COLLAGE_CHECK(is_probability(value));
    packer_.pack_float(value);
  }
  void put(bool value, std::uint64_t) { value ? packer_.pack_true() : packer_.pack_false(); }
  void put(const std::string& text, std::uint64_t max) {
    COLLAGE_CHECK(text.size() <= max && valid_utf8(text));
    packer_.pack_str(static_cast<std::uint32_t>(text.size()));
    packer_.pack_str_body(text.data(), static_cast<std::uint32_t>(text.size()));
  }
  void put(const Payload& payload, std::uint64_t) {
    frames_.has_payload = true;
    frames_.payload = payload;
  }

  Frames& frames_;
  const std::uint32_t protocol_;
  Buffer buffer_;
  msgpack::packer<Buffer> packer_{buffer_};
};

}  // namespace

Frames encode(const Message& message, std::uint32_t protocol) {
  COLLAGE_CHECK(protocol >= kProtocolMin && protocol <= kProtocol);
  Frames frames;
  std::visit(
      [&]<class M>(const M& m) {
        if constexpr (Listed<M>) {
          const std::uint32_t spoken = Accepted::has<M> || Sent::has<M> ? protocol : kProtocol;
          Encoder(frames, spoken).message(m, message.index());
        } else {
          COLLAGE_CHECK(false && "a local message may not cross the wire");
        }
      },
      message);
  return frames;
}

}  // namespace wire
