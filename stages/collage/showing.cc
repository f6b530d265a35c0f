#include "stages/collage/showing.h"

#include <algorithm>
#include <chrono>

namespace stages::collage {
namespace {

// The page asks twice a second, and people look at a picture for longer than that.
constexpr wire::Duration kEvery = std::chrono::seconds(1);

}  // namespace

std::optional<wire::CollagePicture> Showing::take(wire::BatchId batch,
                                                  const std::vector<bool>& blank,
                                                  const wire::Payload& canvas, wire::Instant now) {
  if (!form_ || canvas.size() > form_->bytes_max) return std::nullopt;
  if (std::ranges::find(blank, true) != blank.end()) return std::nullopt;
  if (shown_ && now - *shown_ < kEvery) return std::nullopt;
  shown_ = now;
  return wire::CollagePicture{batch, form_->width, form_->height, form_->channels, canvas};
}

}  // namespace stages::collage
