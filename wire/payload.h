// A picture as bytes that travel through deciders unopened.
//
// Payload is a handle: copying it shares the bytes, which never change while shared.  Deciders
// move it and may ask its size; only codecs, runtime/, imaging/ and runners look inside.
// Handles may be copied and dropped on any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace wire {

class Payload {
 public:
  using Bytes = std::vector<std::uint8_t>;

  Payload() = default;

  // Owns `bytes`.
  explicit Payload(Bytes bytes) {
    auto held = std::make_shared<Bytes>(std::move(bytes));
    bytes_ = {held->data(), held->size()};
    own_ = held;
    owner_ = std::move(held);
  }

  // Shares bytes that live as long as `owner` does (a received frame, say).
  Payload(std::shared_ptr<const void> owner, std::span<const std::uint8_t> bytes)
      : owner_(std::move(owner)), bytes_(bytes) {}

  std::size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }
  std::span<const std::uint8_t> bytes() const { return bytes_; }

  // Gives the bytes up for change: without a copy if this is their only handle, else a copy.
  Bytes release() && {
    const bool sole = own_ && owner_.use_count() == 2;  // owner_ and own_ themselves.
    Bytes out = sole ? std::move(*own_) : Bytes(bytes_.begin(), bytes_.end());
    *this = Payload();
    return out;
  }

 private:
  std::shared_ptr<const void> owner_;
  std::shared_ptr<Bytes> own_;  // Set only if the bytes are ours to give up.
  std::span<const std::uint8_t> bytes_;
};

}  // namespace wire
