// An image out of a request, still encoded.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "wire/payload.h"

namespace gateway {

struct Image {
  std::string name;  // The client's name for it, such as a file's; may be empty.
  wire::Payload bytes;
};

// The body of a request; images that stand in it as they are share its bytes.  Its bytes are
// counted (door/byte_budget.h) for as long as anything has a handle.
using Body = std::shared_ptr<const std::string>;

// The part `view` of `body` as a payload that keeps the body alive.
inline wire::Payload share(const Body& body, std::string_view view) {
  return wire::Payload(body, {reinterpret_cast<const std::uint8_t*>(view.data()), view.size()});
}

// `bytes`, which were decoded out of `body`, as a payload that keeps the body alive as well: they
// are not counted themselves, and would not be bounded once they alone were left.
inline wire::Payload count_with(const Body& body, wire::Payload bytes) {
  const auto both = std::make_shared<const std::pair<Body, wire::Payload>>(body, std::move(bytes));
  return wire::Payload(both, both->second.bytes());
}

}  // namespace gateway
