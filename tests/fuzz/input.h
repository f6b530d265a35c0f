// The bytes of a fuzz target's input as a stream of small decisions.
//
// One byte is one decision, in order from the front, so that a mutation of the input changes one
// decision and a part that is copied keeps its meaning.  (libFuzzer has a FuzzedDataProvider, but
// only clang's packages have that header, and GCC builds run the committed corpora, too.)
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace fuzz {

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : rest_(data, size) {}

  bool empty() const { return rest_.empty(); }
  // The next byte; 0 at the end.
  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const std::uint8_t first = rest_.front();
    rest_ = rest_.subspan(1);
    return first;
  }
  // A number below n; requires n > 0.  Only the first 256 numbers are ever drawn.
  std::size_t below(std::size_t n) { return byte() % n; }
  bool flag() { return (byte() & 1) != 0; }
  // The next bytes, fewer at the end.
  std::span<const std::uint8_t> take(std::size_t size) {
    const auto taken = rest_.first(std::min(size, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }
  std::span<const std::uint8_t> rest() { return take(rest_.size()); }
  std::string rest_as_text() {
    const auto bytes = rest();
    return {bytes.begin(), bytes.end()};
  }

 private:
  std::span<const std::uint8_t> rest_;
};

}  // namespace fuzz
