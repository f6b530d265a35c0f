// Image file to pixels: imaging::decode against the bare library, for small pictures that need no
// resampling and for photographs that do.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdio>
#include <stdexcept>

#include <jpeglib.h>
#include <png.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "imaging/decode.h"
#include "tests/bench/benchmarks.h"
#include "tests/bench/photographs.h"

namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr imaging::Target kGrey28{.width = 28, .height = 28, .channels = 1};
constexpr imaging::Target kColour32{.width = 32, .height = 32, .channels = 3};

void require(bool right) {
  if (!right) throw std::runtime_error("the reference cannot decode what it is given");
}

// The references, without a thought of damage.

void read_png_bytes(png_structp decoder, png_bytep out, std::size_t count) {
  auto& rest = *static_cast<std::span<const std::uint8_t>*>(png_get_io_ptr(decoder));
  std::memcpy(out, rest.data(), count);
  rest = rest.subspan(count);
}

Bytes bare_png(std::span<const std::uint8_t> body) {
  png_structp decoder = png_create_read_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(decoder);
  png_set_read_fn(decoder, &body, read_png_bytes);
  png_read_info(decoder, info);
  const std::size_t row = png_get_rowbytes(decoder, info);
  const std::size_t rows = png_get_image_height(decoder, info);
  Bytes pixels(row * rows);
  for (std::size_t y = 0; y < rows; ++y) png_read_row(decoder, pixels.data() + y * row, nullptr);
  png_destroy_read_struct(&decoder, &info, nullptr);
  return pixels;
}

struct Pixels {
  int width = 0;
  int height = 0;
  Bytes values;  // RGB.
};

// At the smallest of 1, 1/2, 1/4 and 1/8 that is no smaller than `side` on the shorter side.
Pixels bare_jpeg(std::span<const std::uint8_t> body, int side) {
  jpeg_decompress_struct decoder{};
  jpeg_error_mgr errors{};
  decoder.err = jpeg_std_error(&errors);
  jpeg_create_decompress(&decoder);
  jpeg_mem_src(&decoder, body.data(), body.size());
  jpeg_read_header(&decoder, TRUE);
  const auto shorter = static_cast<int>(std::min(decoder.image_width, decoder.image_height));
  decoder.scale_num = 1;
  decoder.scale_denom = 1;
  for (const unsigned shrink : {2u, 4u, 8u}) {
    if (shorter / static_cast<int>(shrink) >= side) decoder.scale_denom = shrink;
  }
  require(decoder.num_components <= 3);
  decoder.out_color_space = JCS_RGB;
  jpeg_start_decompress(&decoder);
  Pixels out{static_cast<int>(decoder.output_width), static_cast<int>(decoder.output_height), {}};
  out.values.resize(std::size_t{decoder.output_width} * decoder.output_height * 3);
  while (decoder.output_scanline < decoder.output_height) {
    JSAMPROW row = out.values.data() + std::size_t{decoder.output_scanline} * out.width * 3;
    jpeg_read_scanlines(&decoder, &row, 1);
  }
  jpeg_finish_decompress(&decoder);
  jpeg_destroy_decompress(&decoder);
  return out;
}

// The largest square around the centre, each pixel of `side` x `side` from the four next to it.
Bytes linear(const Pixels& picture, int side) {
  const int square = std::min(picture.width, picture.height);
  const int left = (picture.width - square) / 2;
  const int top = (picture.height - square) / 2;
  constexpr int kOne = 1 << 8;
  const auto place = [&](int i) {  // In 1/256 of a pixel.
    const int at = ((2 * i + 1) * square * kOne / side - kOne) / 2;
    return std::clamp(at, 0, (square - 1) * kOne - 1);
  };
  Bytes out;
  out.reserve(static_cast<std::size_t>(side) * static_cast<std::size_t>(side) * 3);
  for (int y = 0; y < side; ++y) {
    const int v = place(y);
    const std::uint8_t* upper =
        picture.values.data() +
        (static_cast<std::ptrdiff_t>(top + v / kOne) * picture.width + left) * 3;
    const std::uint8_t* lower = upper + static_cast<std::ptrdiff_t>(picture.width) * 3;
    for (int x = 0; x < side; ++x) {
      const int u = place(x);
      const int part = u % kOne;
      for (int c = 0; c < 3; ++c) {
        const std::ptrdiff_t at = u / kOne * 3 + c;
        const int above = upper[at] * (kOne - part) + upper[at + 3] * part;
        const int below = lower[at] * (kOne - part) + lower[at + 3] * part;
        out.push_back(static_cast<std::uint8_t>((above * (kOne - v % kOne) + below * (v % kOne)) /
                                                (kOne * kOne)));
      }
    }
  }
  return out;
}

void ours(benchmark::State& state, const std::vector<Bytes>& files, const imaging::Target& target) {
  std::size_t next = 0;
  for (auto _ : state) {
    const auto picture = imaging::decode(files[next++ % files.size()], target, {});
    require(picture.has_value());
    benchmark::DoNotOptimize(picture->pixels.data());
  }
}

template <class Decode>
void reference(benchmark::State& state, const std::vector<Bytes>& files, Decode decode) {
  std::size_t next = 0;
  for (auto _ : state) {
    const Bytes pixels = decode(files[next++ % files.size()]);
    benchmark::DoNotOptimize(pixels.data());
  }
}

void add(const std::string& name, std::vector<Bytes> files, const imaging::Target& target,
         Bytes (*decode)(std::span<const std::uint8_t>)) {
  benchmark::RegisterBenchmark((name + "/ours").c_str(),
                               [=](benchmark::State& state) { ours(state, files, target); });
  benchmark::RegisterBenchmark((name + "/reference").c_str(),
                               [=](benchmark::State& state) { reference(state, files, decode); });
}

template <int side>
Bytes scaled(std::span<const std::uint8_t> body) {
  return linear(bare_jpeg(body, side), side);
}

}  // namespace

namespace bench {

void add_decoders() {
  add("decode-small-png", {small_png()}, kGrey28, bare_png);
  add("decode-small-jpeg", {small_jpeg()}, kColour32,
      [](std::span<const std::uint8_t> body) { return bare_jpeg(body, 32).values; });
  const std::vector<Bytes> files = photographs();
  add("decode-photo-224", files, {.width = 224, .height = 224, .channels = 3}, scaled<224>);
  add("decode-photo-138", files, {.width = 138, .height = 138, .channels = 3}, scaled<138>);
}

}  // namespace bench
