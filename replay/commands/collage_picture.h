// The images of a batch and their collage as pictures, for reports.
#pragma once

#include <functional>
#include <vector>

#include "models/serving/manifest.h"
#include "wire/payload.h"

namespace replay {

// Images in the order of their slots, as they were sent, to a PNG file of their collage; a slot
// whose image does not decode stays blank.
using DrawCollage = std::function<wire::Payload(const std::vector<wire::Payload>& images)>;

// Draws what the assembler makes for the collage-CNN of the manifest, pixel by pixel.  Calls
// require an imaging::Library and at most as many images as the manifest has slots; they throw
// std::runtime_error if memory runs out.
DrawCollage draw_collages_of(const models::Manifest& manifest);

// An image, as it was sent, to a PNG file that is small enough for a page: 160x160 pixels, the
// middle of the picture; the image as it is if it does not decode.  Requires likewise.
wire::Payload thumbnail(const wire::Payload& image);

}  // namespace replay
