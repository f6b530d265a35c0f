// Splits a MessagePack text into a flat list of tokens.
//
// It uses the visitor interface of msgpack-c, which builds no objects, so that a declared count or
// depth allocates no memory.  The parser stops at types that no message uses (nil, map, bin, ext)
// and at anything beyond kTokensMax or kDepthMax; the tokens before that point remain readable.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace wire {

inline constexpr std::size_t kTokensMax =
    2048;                                    // The longest message, a list of workers, has 1,542.
inline constexpr std::size_t kDepthMax = 4;  // Levels: message, cells, predictions, prediction.

struct Token {
  enum class Type : std::uint8_t { number, negative, real, boolean, string, array };
  Type type;
  std::uint32_t size;  // The number of elements of an array, of bytes of a string.
  union {
    std::uint64_t number;
    float real;
    bool boolean;
    const char* string;  // Points into the text.
  };
};

// About 50 kB, meant for the stack; the array is not cleared.
class Tokens {
 public:
  // Returns true if `text` is one complete value of known types and nothing else.  Never throws.
  // `text` must outlive the tokens.
  bool read(std::span<const std::uint8_t> text);

  std::size_t size() const { return size_; }
  const Token& operator[](std::size_t i) const { return tokens_[i]; }

 private:
  friend struct TokenVisitor;

  std::size_t size_ = 0;
  std::array<Token, kTokensMax> tokens_;
};

}  // namespace wire
