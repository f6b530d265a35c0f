// Nine photographs to one collage of 416 x 416, for which bench.py times the published recipe; and
// what of it stands between the last photograph and the finished tensor.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <stdexcept>
#include <vector>

#include "imaging/decode.h"
#include "imaging/tile.h"
#include "models/serving/planes.h"
#include "tests/bench/benchmarks.h"
#include "tests/bench/photographs.h"

namespace bench {
namespace {

using Bytes = std::vector<std::uint8_t>;

// 414 x 414, the multiple of three next to the 416 of the recipe.
constexpr imaging::Grid kGrid{.side = 3, .tile_width = 138, .tile_height = 138};
constexpr imaging::Target kTile{.width = 138, .height = 138, .channels = 3};

void put(Bytes& canvas, wire::Slot slot, const Bytes& file) {
  const auto tile = imaging::decode(file, kTile, {});
  if (!tile) throw std::runtime_error("a photograph cannot be decoded");
  imaging::paste(canvas, kGrid, kTile.channels, slot, *tile);
}

void make(benchmark::State& state) {
  const std::vector<Bytes> files = photographs();
  for (auto _ : state) {
    Bytes canvas = imaging::new_canvas(kGrid, kTile.channels);
    for (wire::Slot slot = 0; slot < 9; ++slot) put(canvas, slot, files[slot % files.size()]);
    benchmark::DoNotOptimize(canvas.data());
  }
}

void finish(benchmark::State& state) {
  const std::vector<Bytes> files = photographs();
  const models::ValueTables tables =
      models::tables_of({.mean = {0.5, 0.5, 0.5}, .deviation = {0.25, 0.25, 0.25}});
  Bytes canvas = imaging::new_canvas(kGrid, kTile.channels);
  std::size_t next = 0;
  for (auto _ : state) {
    put(canvas, 8, files[next++ % files.size()]);
    const std::vector<float> tensor =
        models::planes_of(canvas, {kGrid.width(), kGrid.height(), kTile.channels}, tables);
    benchmark::DoNotOptimize(tensor.data());
  }
}

}  // namespace

void add_collage() {
  benchmark::RegisterBenchmark("collage-cpu/ours", make);
  benchmark::RegisterBenchmark("collage-path/ours", finish);
}

}  // namespace bench
