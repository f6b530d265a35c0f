#include "models/serving/planes.h"

#include "wire/check.h"

namespace models {

ValueTables tables_of(const Normalisation& normalisation) {
  ValueTables tables(normalisation.mean.size());
  for (std::size_t c = 0; c < tables.size(); ++c) {
    tables[c].source = normalisation.source(c);
    for (std::size_t v = 0; v < 256; ++v) {
      const double level = static_cast<double>(v) / 255.0 * normalisation.range;
      tables[c].values[v] =
          static_cast<float>((level - normalisation.mean[c]) / normalisation.deviation[c]);
    }
  }
  return tables;
}

// Contiguous, not channels-last as in training: a network fused for inference would first copy a
// channels-last input into contiguous memory.
std::vector<float> planes_of(std::span<const std::uint8_t> pixels, const TileShape& shape,
                             const ValueTables& tables) {
  const auto channels = static_cast<std::size_t>(shape.channels);
  COLLAGE_CHECK(pixels.size() == shape.bytes() && tables.size() == channels);
  std::vector<float> planes(shape.bytes());
  auto out = planes.begin();
  for (std::size_t c = 0; c < channels; ++c) {
    const auto& [source, values] = tables[c];
    for (std::size_t i = source; i < pixels.size(); i += channels) *out++ = values[pixels[i]];
  }
  return planes;
}

}  // namespace models
