// The bytes of a picture, passed through machines without being copied or read.
//
// Payload is a handle: copying it shares the bytes, which never change while they are shared.  A
// machine moves handles and may ask for the size; only codecs, runtime/, imaging/ and runners read
// the bytes.  Handles may be copied and dropped on any thread.
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

  // Takes ownership of `bytes`.
  explicit Payload(Bytes bytes) {
    auto held = std::make_shared<Bytes>(std::move(bytes));
    bytes_ = {held->data(), held->size()};
    own_ = held;
    owner_ = std::move(held);
  }

  // Shares bytes that live as long as `owner`, such as a received frame.
  Payload(std::shared_ptr<const void> owner, std::span<const std::uint8_t> bytes)
      : owner_(std::move(owner)), bytes_(bytes) {}

  std::size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }
  std::span<const std::uint8_t> bytes() const { return bytes_; }

  // Returns the bytes so that they can be changed: moved if this is their only handle, else copied.
  Bytes release() && {
    const bool sole = own_ && owner_.use_count() == 2;  // The two are owner_ and own_.
    Bytes out = sole ? std::move(*own_) : Bytes(bytes_.begin(), bytes_.end());
    *this = Payload();
    return out;
  }

 private:
  std::shared_ptr<const void> owner_;
  std::shared_ptr<Bytes> own_;  // Null unless this object was made from Bytes.
  std::span<const std::uint8_t> bytes_;
};

}  // namespace wire
