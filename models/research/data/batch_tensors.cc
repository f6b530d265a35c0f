#include "models/research/data/batch_tensors.h"

#include "models/research/data/tiling.h"
#include "models/serving/planes.h"
#include "wire/check.h"

namespace models {
namespace {

// Writes one tile (or blank) with its first pixel at `out`, rows `row_stride` floats apart.
void write_tile(const std::uint8_t* tile, const TileShape& shape, const ValueTables& tables,
                float* out, std::size_t row_stride) {
  const auto channels = static_cast<std::size_t>(shape.channels);
  const std::size_t row = static_cast<std::size_t>(shape.width) * channels;
  for (std::size_t y = 0; y < static_cast<std::size_t>(shape.height); ++y) {
    for (std::size_t i = 0; i < row; i += channels) {
      for (std::size_t c = 0; c < channels; ++c) {
        const auto& [source, values] = tables[c];
        const std::uint8_t value = tile == nullptr ? kBlankPixel : tile[y * row + i + source];
        out[y * row_stride + i + c] = values[value];
      }
    }
  }
}

}  // namespace

torch::Tensor assemble(std::span<const std::uint8_t> tiles, const TileShape& shape,
                       const Normalisation& normalisation, std::span<const std::int64_t> tilings,
                       int grid) {
  const auto slots = static_cast<std::size_t>(grid * grid);
  COLLAGE_CHECK(tilings.size() % slots == 0);
  COLLAGE_CHECK(normalisation.mean.size() == static_cast<std::size_t>(shape.channels));
  const auto collages = static_cast<std::int64_t>(tilings.size() / slots);
  torch::Tensor nhwc =
      torch::empty({collages, grid * shape.height, grid * shape.width, shape.channels});
  const ValueTables tables = tables_of(normalisation);
  const auto tile_row = static_cast<std::size_t>(shape.width * shape.channels);
  const std::size_t row_stride = tile_row * static_cast<std::size_t>(grid);
  const std::size_t cell_row = row_stride * static_cast<std::size_t>(shape.height);
  auto* out = nhwc.data_ptr<float>();
  for (std::size_t i = 0; i < tilings.size(); ++i) {
    const std::size_t slot = i % slots;
    const std::size_t row = slot / static_cast<std::size_t>(grid);
    const std::size_t column = slot % static_cast<std::size_t>(grid);
    const std::size_t first =
        i / slots * cell_row * static_cast<std::size_t>(grid) + row * cell_row + column * tile_row;
    const std::uint8_t* tile =
        tilings[i] == kBlank
            ? nullptr
            : tiles.subspan(static_cast<std::size_t>(tilings[i]) * shape.bytes(), shape.bytes())
                  .data();
    write_tile(tile, shape, tables, out + first, row_stride);
  }
  return nhwc.permute({0, 3, 1, 2});
}

torch::Tensor gather_labels(std::span<const int> labels, std::span<const std::int64_t> tilings) {
  torch::Tensor out = torch::empty({static_cast<std::int64_t>(tilings.size())}, torch::kLong);
  auto* values = out.data_ptr<std::int64_t>();
  for (std::size_t i = 0; i < tilings.size(); ++i) {
    values[i] = tilings[i] == kBlank ? kBlank : labels[static_cast<std::size_t>(tilings[i])];
  }
  return out;
}

}  // namespace models
