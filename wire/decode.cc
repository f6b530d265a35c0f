#include <algorithm>
#include <array>
#include <concepts>
#include <cstdint>
#include <limits>
#include <new>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "wire/codec.h"
#include "wire/fields.h"
#include "wire/tokens.h"
#include "wire/utf8.h"

namespace wire {
namespace {

// decode_foreign() needs the number of Refuse, which must therefore never change.
constexpr std::size_t kRefuseIndex = 3;
static_assert(std::is_same_v<std::variant_alternative_t<kRefuseIndex, Message>, Refuse>);

// Walks over the tokens.  Each get() returns true if the next tokens are a T within its bounds.
class Decoder {
 public:
  Decoder(const Tokens& tokens, std::span<const Payload> payloads)
      : tokens_(tokens), payloads_(payloads) {}

  // Sets the version of the message, which decides what fields it has.
  void set_protocol(std::uint32_t protocol) { protocol_ = protocol; }

  // Takes the next token if it is a number.
  std::optional<std::uint64_t> number() {
    const Token* token = next(Token::Type::number);
    return token ? std::optional(token->number) : std::nullopt;
  }
  std::optional<std::uint32_t> array() {
    const Token* token = next(Token::Type::array);
    return token ? std::optional(token->size) : std::nullopt;
  }
  // Reads a message whose array has `elements` fields; false if a payload frame is left over.
  template <class M>
  bool message(M& m, std::uint32_t elements) {
    return elements == count<M>(protocol_) && fields(m) && payloads_.empty();
  }

 private:
  const Token* next(Token::Type type) {
    if (at_ == tokens_.size() || tokens_[at_].type != type) return nullptr;
    return &tokens_[at_++];
  }

  template <class T>
  bool fields(T& value) {
    const auto get_field = [&](const auto& field) {
      return first_version(field) > protocol_ || get(value.*member(field), most(field));
    };
    return std::apply([&](const auto&... field) { return (get_field(field) && ...); }, kFields<T>);
  }
  template <Listed T>
  bool get(T& value, std::uint64_t = 0) {
    return array() == count<T>(protocol_) && fields(value);
  }
  template <class T>
  bool get(std::vector<T>& values, std::uint64_t = 0) {
    const auto size = array();
    if (!size || *size > kCountMax<T>) return false;  // Before resize: the count is a peer's.
    values.resize(*size);
    return std::all_of(values.begin(), values.end(), [this](T& value) { return get(value); });
  }
  bool get(std::vector<bool>& flags, std::uint64_t) {
    std::uint64_t size = 0;
    std::uint64_t mask = 0;
    // The bound of the mask rejects flags beyond the size; so each value has one encoding.
    if (array() != 2 || !get(size, kSlotsMax) || !get(mask, (1ull << size) - 1)) return false;
    flags.resize(size);
    for (std::size_t i = 0; i < size; ++i) flags[i] = (mask >> i) & 1;
    return true;
  }
  template <std::unsigned_integral T>
  bool get(T& value, std::uint64_t max) {
    const auto found = number();
    if (!found || *found > max) return false;
    value = static_cast<T>(*found);
    return true;
  }
  template <class E>
  requires std::is_enum_v<E>
  bool get(E& value, std::uint64_t) {
    const auto found = number();
    if (!found || !known<E>(*found)) return false;
    value = static_cast<E>(*found);
    return true;
  }
  template <class Tag>
  bool get(Id<Tag>& id, std::uint64_t = 0) {
    return get(id.value, std::numeric_limits<std::uint64_t>::max());
  }
  bool get(Duration& value, std::uint64_t = 0) {
    std::uint64_t ns = 0;
    if (!get(ns, static_cast<std::uint64_t>(kDurationMax.count()))) return false;
    value = Duration(ns);
    return true;
  }
  // Accepts integers, too, because some encoders (msgpack-c is one) send 1.0 as 1.
  bool get(float& value, std::uint64_t) {
    if (const auto whole = number()) {
      value = static_cast<float>(*whole);
    } else if (const Token* token = next(Token::Type::real)) {
      value = token->real;
    } else {
      return false;
    }
    return is_probability(value);
  }
  bool get(bool& value, std::uint64_t) {
    const Token* token = next(Token::Type::boolean);
    if (!token) return false;
    value = token->boolean;
    return true;
  }
  bool get(std::string& text, std::uint64_t max) {
    const Token* token = next(Token::Type::string);
    if (!token || token->size > max) return false;
    text.assign(token->string, token->size);
    return valid_utf8(text);
  }
  bool get(Payload& payload, std::uint64_t) {
    if (payloads_.empty()) return false;
    payload = payloads_.front();
    payloads_ = payloads_.subspan(1);
    return true;
  }

  const Tokens& tokens_;
  std::size_t at_ = 0;
  std::span<const Payload> payloads_;
  std::uint32_t protocol_ = kProtocol;
};

using Decoded = tl::expected<Message, Reason>;

// Reads the fields of the message that has index I in the variant.
template <std::size_t I>
Decoded make(Decoder& decoder, std::uint32_t elements) {
  Decoded out(tl::in_place, std::in_place_index<I>);
  if (!decoder.message(*std::get_if<I>(&*out), elements)) {
    return tl::unexpected(Reason::bad_message);
  }
  return out;
}

template <std::size_t... I>
constexpr auto makers(std::index_sequence<I...>) {
  return std::array{&make<I>...};
}

Decoded decode_kind(std::uint64_t index, Decoder& decoder, std::uint32_t elements) {
  static constexpr auto kMakers = makers(std::make_index_sequence<kWireMessages>());
  if (index >= kMakers.size()) return tl::unexpected(Reason::bad_message);
  return kMakers[index](decoder, elements);
}

template <std::size_t... I>
constexpr bool accepted(std::uint64_t index, std::index_sequence<I...>) {
  return ((index == I && Accepted::has<std::variant_alternative_t<I, Message>>) || ...);
}

// Returns true if a message of this kind and of an older version is read.
bool served(std::uint64_t protocol, std::optional<std::uint64_t> number) {
  return protocol >= kProtocolMin && protocol < kProtocol && number &&
         accepted(*number - 1, std::make_index_sequence<kWireMessages>());
}

// Any other message of another version is read only if it is a Refuse, whose form never changes: so
// peers of different versions can still refuse each other with a reason.
Decoded decode_foreign(bool complete, std::optional<std::uint64_t> number, Decoder& decoder,
                       std::uint32_t elements, std::size_t payloads) {
  if (!complete || elements != 4 || payloads != 0) return tl::unexpected(Reason::wrong_protocol);
  if (number != kRefuseIndex + 1) return tl::unexpected(Reason::wrong_protocol);
  const auto reason = decoder.number();
  const auto protocol = decoder.number();
  if (!reason || !protocol || *protocol > std::numeric_limits<std::uint32_t>::max()) {
    return tl::unexpected(Reason::wrong_protocol);
  }
  return Message(Refuse{.reason = reason_from(*reason).value_or(Reason::wrong_protocol),
                        .protocol = static_cast<std::uint32_t>(*protocol)});
}

Decoded decode_tokens(std::span<const std::uint8_t> header, std::span<const Payload> payloads,
                      std::uint32_t* spoken) {
  if (header.size() > kHeaderBytesMax) return tl::unexpected(Reason::bad_message);
  Tokens tokens;
  const bool complete = tokens.read(header);
  Decoder decoder(tokens, payloads);
  const auto elements = decoder.array();
  const auto protocol = decoder.number();
  if (!elements || !protocol) return tl::unexpected(Reason::bad_message);
  const auto number = decoder.number();
  // Before `complete` is checked: another version may use tokens that this one does not know.
  if (*protocol != kProtocol && !served(*protocol, number)) {
    return decode_foreign(complete, number, decoder, *elements, payloads.size());
  }
  if (!complete || !number || *number == 0) return tl::unexpected(Reason::bad_message);
  decoder.set_protocol(static_cast<std::uint32_t>(*protocol));
  Decoded decoded = decode_kind(*number - 1, decoder, *elements - 2);
  if (decoded && spoken) *spoken = static_cast<std::uint32_t>(*protocol);
  return decoded;
}

}  // namespace

Decoded decode(std::span<const std::uint8_t> header, std::span<const Payload> payloads,
               std::uint32_t* protocol) {
  try {
    return decode_tokens(header, payloads, protocol);
  } catch (const std::bad_alloc&) {  // A message within the limits may still exceed the memory.
    return tl::unexpected(Reason::bad_message);
  }
}

}  // namespace wire
