// How an image ended, and the HTTP status that says so.
#pragma once

#include <cstdint>

#include "gateway/image.h"
#include "gateway/problem.h"
#include "producer/delivered.h"

namespace gateway {

struct Outcome {
  // delivered: the client has a result.  The others: the gateway did not wait for one.
  enum class Kind : std::uint8_t { delivered, no_broker, no_room, draining };
  Kind kind = Kind::delivered;
  producer::Delivered delivered;  // With `delivered`.
};

// 200 if the image was answered; else as docs/HTTP.md lists.
int status_of(const Outcome& outcome);

// What is wrong with an image that was not answered.  Requires that it was not.
Problem problem_of(const Outcome& outcome);
// The same, with the format of an image that is rejected for it.
Problem problem_of(const Outcome& outcome, const Image& image);

}  // namespace gateway
