// Chooses the collages that are sent to the sink to be shown to people: of full batches alone, and
// at most one a second, so that showing costs next to nothing.
//
// Pictures are private: nothing is shown unless the configuration asks for it.  Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "wire/message.h"
#include "wire/types.h"

namespace stages::collage {

// The form of a collage's pixels.
struct PictureForm {
  std::uint32_t width = 0, height = 0, channels = 0;
  std::uint64_t bytes_max = 0;  // Larger pictures are not shown: the sink's link takes no more.
};

class Showing {
 public:
  // nullopt: nothing is shown.
  explicit Showing(std::optional<PictureForm> form) : form_(form) {}

  // The message that shows this collage, sharing its pixels; nullopt if it is not to be shown.
  std::optional<wire::CollagePicture> take(wire::BatchId batch, const std::vector<bool>& blank,
                                           const wire::Payload& canvas, wire::Instant now);

 private:
  const std::optional<PictureForm> form_;
  std::optional<wire::Instant> shown_;  // When a collage was shown last.
};

}  // namespace stages::collage
