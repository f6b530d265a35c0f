// The reasons why an image, a message or a peer is not accepted.  Each has one name, the same in
// code, logs and metrics, and one number on the wire.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace wire {

// name, number on the wire.  Numbers are never reused.
#define COLLAGE_REASONS(X)                                 \
  X(none, 0)                                               \
  /* Rejected: the image itself cannot be used. */         \
  X(empty_image, 1)                                        \
  X(not_an_image, 2)                                       \
  X(truncated_image, 3)                                    \
  X(too_many_pixels, 4)                                    \
  X(unsupported_image, 5)                                  \
  X(bad_scores, 6)                                         \
  /* Refused: not now, or not so; nothing was admitted. */ \
  X(image_too_large, 16)                                   \
  X(full, 17)                                              \
  X(no_credit, 18)                                         \
  X(duplicate_request, 19)                                 \
  X(unknown_producer, 20)                                  \
  X(draining, 21)                                          \
  X(overloaded, 23)                                        \
  /* A peer's mistakes. */                                 \
  X(wrong_protocol, 32)                                    \
  X(bad_message, 33)                                       \
  X(wrong_model, 34)                                       \
  X(wrong_grid, 35)                                        \
  X(too_many_peers, 36)                                    \
  X(wrong_role, 37)                                        \
  X(unknown_worker, 38)                                    \
  /* Missing: why nobody answered by the deadline.  */     \
  /* overloaded and draining say so, too.           */     \
  X(no_broker, 48)                                         \
  X(no_sink, 49)                                           \
  X(no_stage, 50)                                          \
  X(no_answer, 51)

enum class Reason : std::uint8_t {
#define COLLAGE_REASON(name, number) name = number,
  COLLAGE_REASONS(COLLAGE_REASON)
#undef COLLAGE_REASON
};

constexpr std::string_view to_string(Reason reason) {
  switch (reason) {
#define COLLAGE_REASON(name, number) \
  case Reason::name:                 \
    return #name;
    COLLAGE_REASONS(COLLAGE_REASON)
#undef COLLAGE_REASON
  }
  return "unknown";
}

// Returns the reason with this number; nullopt if there is none.
constexpr std::optional<Reason> reason_from(std::uint64_t number) {
  switch (number) {
#define COLLAGE_REASON(name, value) \
  case value:                       \
    return Reason::name;
    COLLAGE_REASONS(COLLAGE_REASON)
#undef COLLAGE_REASON
    default:
      return std::nullopt;
  }
}

}  // namespace wire
