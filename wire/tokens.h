// A MessagePack text as a flat list of its tokens.
//
// Tokenising is msgpack-c's, through its visitor interface: it builds no objects, so a declared
// count or depth allocates nothing.  Kinds that no message uses (nil, map, bin, ext) and whatever
// exceeds kTokensMax or kDepthMax stop it; the tokens before that point remain readable.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace wire {

inline constexpr std::size_t kTokensMax = 2048;  // A full collage answer has 1,240.
inline constexpr std::size_t kDepthMax = 4;      // Message, cells, predictions, prediction.

struct Token {
  enum class Type : std::uint8_t { number, negative, real, boolean, string, array };
  Type type;
  std::uint32_t size;  // Of an array its elements, of a string its bytes.
  union {
    std::uint64_t number;
    float real;
    bool boolean;
    const char* string;  // Into the text.
  };
};

// Some 50 kB: lives on the stack, and is not cleared.
class Tokens {
 public:
  // Whether `text` is one complete value of known kinds and nothing else.  Never throws; `text`
  // must outlive the tokens.
  bool read(std::span<const std::uint8_t> text);

  std::size_t size() const { return size_; }
  const Token& operator[](std::size_t i) const { return tokens_[i]; }

 private:
  friend struct TokenVisitor;

  std::size_t size_ = 0;
  std::array<Token, kTokensMax> tokens_;
};

}  // namespace wire
