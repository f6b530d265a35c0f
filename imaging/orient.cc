#include "imaging/orient.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace imaging {

Samples turned_upright(Samples samples, Orientation orientation) {
  if (orientation == kUpright) return samples;
  const bool lying = lies(orientation);
  // The same table as lying() of geometry.h: which sides of the upright picture are mirrored.
  const bool mirror_x =
      orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
  const bool mirror_y =
      orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
  Samples out = lying
                    ? new_samples(samples.height, samples.width, samples.channels, samples.coding)
                    : new_samples(samples.width, samples.height, samples.channels, samples.coding);
  for (int y = 0; y < out.height; ++y) {
    std::uint8_t* to = out.row(y);
    for (int x = 0; x < out.width; ++x, to += out.channels) {
      const int from_x = mirror_x ? out.width - 1 - x : x;
      const int from_y = mirror_y ? out.height - 1 - y : y;
      const std::uint8_t* row = samples.row(lying ? from_x : from_y);
      std::copy_n(row + std::ptrdiff_t{lying ? from_y : from_x} * samples.channels, out.channels,
                  to);
    }
  }
  out.icc = std::move(samples.icc);
  return out;
}

}  // namespace imaging
