// imaging/: any bytes are either a picture of exactly the target's size or a Reason.

#include <algorithm>

#include "imaging/decode.h"
#include "imaging/library.h"
#include "tests/fuzz/input.h"
#include "wire/check.h"

namespace {

// Without HEIC and AVIF, whose decoders have threads of their own and are libheif's.
constexpr imaging::FormatSet kFormats{imaging::Format::jpeg, imaging::Format::png,
                                      imaging::Format::webp, imaging::Format::gif,
                                      imaging::Format::tiff};

imaging::Target target_of(fuzz::Input& input) {
  imaging::Target target{.width = 1 + static_cast<int>(input.below(40)),
                         .height = 1 + static_cast<int>(input.below(40)),
                         .channels = input.flag() ? 3 : 1};
  imaging::Preprocess& p = target.preprocess;
  p.resize = static_cast<imaging::Resize>(input.below(4));
  p.shorter_side = 1 + static_cast<int>(input.below(40));
  p.crop = (1 + static_cast<double>(input.below(20))) / 20;
  p.interpolation = static_cast<imaging::Interpolation>(input.below(4));
  p.antialias = input.flag();
  p.background = static_cast<imaging::Background>(input.below(2));
  p.icc = static_cast<imaging::Icc>(input.below(2));
  return target;
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  static const imaging::Library library(kFormats);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const imaging::Target target = target_of(input);
  const imaging::Limits limits{.pixels_max = 100'000,
                               .side_max = 2'000,
                               .scan_pixels_max = 400'000,
                               .frames_max = 20,
                               .formats = kFormats};
  const auto picture = imaging::decode(input.rest(), target, limits);
  if (!picture) {
    COLLAGE_CHECK(picture.error() != wire::Reason::none);
    return 0;
  }
  COLLAGE_CHECK(picture->width == target.width && picture->height == target.height);
  COLLAGE_CHECK(picture->channels == target.channels);
  COLLAGE_CHECK(picture->pixels.size() ==
                std::size_t{1} *
                    static_cast<std::size_t>(target.width * target.height * target.channels));
  return 0;
}
