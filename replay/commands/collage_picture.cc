#include "replay/commands/collage_picture.h"

#include <utility>

#include "imaging/decode.h"
#include "imaging/encode.h"
#include "imaging/tile.h"

namespace replay {

DrawCollage draw_collages_of(const models::Manifest& manifest) {
  return [grid = manifest.layout(),
          target = manifest.target()](const std::vector<wire::Payload>& images) {
    imaging::Picture collage{.width = grid.width(),
                             .height = grid.height(),
                             .channels = target.channels,
                             .pixels = imaging::new_canvas(grid, target.channels)};
    for (std::size_t slot = 0; slot < images.size(); ++slot) {
      const auto picture = imaging::decode(images[slot].bytes(), target, {});
      if (!picture) continue;
      imaging::paste(collage.pixels, grid, target.channels, static_cast<wire::Slot>(slot),
                     *picture);
    }
    return wire::Payload(imaging::encode_png(collage));
  };
}

wire::Payload thumbnail(const wire::Payload& image) {
  constexpr int kSide = 160;
  const auto picture =
      imaging::decode(image.bytes(), {.width = kSide, .height = kSide, .channels = 3}, {});
  return picture ? wire::Payload(imaging::encode_png(*picture)) : image;
}

}  // namespace replay
