#include "wire/tokens.h"

#include <exception>
#include <msgpack.hpp>

namespace wire {

// The callbacks of msgpack-c's parser; a callback that returns false stops it.
struct TokenVisitor : msgpack::null_visitor {
  explicit TokenVisitor(Tokens& list) : tokens(list) {}

  bool add(Token::Type type, auto&& fill) {
    if (tokens.size_ == kTokensMax) return false;
    Token& token = tokens.tokens_[tokens.size_++];
    token.type = type;
    fill(token);
    return true;
  }

  bool visit_positive_integer(std::uint64_t value) {
    return add(Token::Type::number, [value](Token& token) { token.number = value; });
  }
  // Also called for a positive value in a signed format, which other encoders emit.
  bool visit_negative_integer(std::int64_t value) {
    if (value >= 0) return visit_positive_integer(static_cast<std::uint64_t>(value));
    // No field is negative, so the value itself is not needed.
    return add(Token::Type::negative, [](Token&) {});
  }
  bool visit_boolean(bool value) {
    return add(Token::Type::boolean, [value](Token& token) { token.boolean = value; });
  }
  bool visit_float32(float value) {
    return add(Token::Type::real, [value](Token& token) { token.real = value; });
  }
  // Languages without a 32-bit type send doubles; the only reals are probabilities.
  bool visit_float64(double value) { return visit_float32(static_cast<float>(value)); }
  bool visit_str(const char* value, std::uint32_t size) {
    return add(Token::Type::string, [value, size](Token& token) {
      token.string = value;
      token.size = size;
    });
  }
  bool start_array(std::uint32_t count) {
    // A count above the bound is refused here and not at the missing elements.
    if (++depth > kDepthMax || count > kTokensMax) return false;
    return add(Token::Type::array, [count](Token& token) { token.size = count; });
  }
  bool end_array() {
    --depth;
    return true;
  }
  bool visit_nil() { return false; }
  bool visit_bin(const char*, std::uint32_t) { return false; }
  bool visit_ext(const char*, std::uint32_t) { return false; }
  bool start_map(std::uint32_t) { return false; }

  Tokens& tokens;
  std::size_t depth = 0;
};

bool Tokens::read(std::span<const std::uint8_t> text) {
  size_ = 0;
  TokenVisitor visitor(*this);
  std::size_t offset = 0;
  try {
    return msgpack::parse(reinterpret_cast<const char*>(text.data()), text.size(), offset,
                          visitor) &&
           offset == text.size();
  } catch (const std::exception&) {  // Also std::bad_alloc, which is no exception of msgpack's.
    return false;
  }
}

}  // namespace wire
