#include "imaging/colour.h"

#include <lcms2.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <list>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "imaging/alpha.h"
#include "imaging/vips_image.h"

namespace imaging {
namespace {

using Bytes = std::span<const std::uint8_t>;

// More is no profile of a camera or a printer; the largest that exist have some 2 MB.
constexpr std::size_t kProfileMax = 4 * 1024 * 1024;
// Transforms that a thread keeps, and the bytes of their profiles.  To make one takes milliseconds;
// pictures of one source share their profile, and a pipeline has some sources.
constexpr std::size_t kTransformMax = 16;
constexpr std::size_t kKeptBytesMax = 4 * kProfileMax;

struct CloseProfile {
  void operator()(void* profile) const { cmsCloseProfile(profile); }
};
struct DeleteTransform {
  void operator()(void* transform) const { cmsDeleteTransform(transform); }
};
using ProfilePtr = std::unique_ptr<void, CloseProfile>;
using TransformPtr = std::unique_ptr<void, DeleteTransform>;

struct LcmsKind {
  cmsColorSpaceSignature space;
  cmsUInt32Number layout;
};

LcmsKind lcms_kind_of(Coding coding) {
  switch (coding) {
    case Coding::grey:
      return {cmsSigGrayData, TYPE_GRAY_8};
    case Coding::rgb:
      return {cmsSigRgbData, TYPE_RGB_8};
    case Coding::cmyk:
      break;
  }
  return {cmsSigCmykData, TYPE_CMYK_8};
}

// Null if the profile is damaged or of another kind of samples.
TransformPtr new_transform(Bytes icc, Coding coding) {
  if (icc.empty() || icc.size() > kProfileMax) return nullptr;
  const ProfilePtr from(
      cmsOpenProfileFromMem(icc.data(), static_cast<cmsUInt32Number>(icc.size())));
  const LcmsKind kind = lcms_kind_of(coding);
  if (!from || cmsGetColorSpace(from.get()) != kind.space) return nullptr;
  const ProfilePtr srgb(cmsCreate_sRGBProfile());
  return TransformPtr(cmsCreateTransform(from.get(), kind.layout, srgb.get(), TYPE_RGB_8,
                                         INTENT_RELATIVE_COLORIMETRIC, 0));
}

// Returns true if no colour of a coarse grid moves by more than 2 levels, which is what cameras'
// own forms of the sRGB profile differ by.  Such a transform is left out, so that the samples of a
// picture of the target's size stay as they are.
bool changes_nothing(void* transform, Coding coding) {
  constexpr int kTolerance = 2;
  if (coding == Coding::cmyk) return false;
  for (int i = 0; i < 6 * 6 * 6; ++i) {
    std::array<std::uint8_t, 3> in{};
    const auto level = [](int step) { return static_cast<std::uint8_t>(51 * step); };
    in = coding == Coding::grey ? std::array{level(i % 6), level(i % 6), level(i % 6)}
                                : std::array{level(i % 6), level(i / 6 % 6), level(i / 36)};
    std::array<std::uint8_t, 3> out{};
    cmsDoTransform(transform, in.data(), out.data(), 1);
    for (std::size_t c = 0; c < 3; ++c) {
      if (std::abs(in[c] - out[c]) > kTolerance) return false;
    }
  }
  return true;
}

// The transforms from the profiles that a thread has met last.
class Transforms {
 public:
  // Null if there is nothing to do.
  void* get(Bytes icc, Coding coding) {
    const auto known = std::ranges::find_if(entries_, [&](const Entry& entry) {
      return entry.coding == coding && std::ranges::equal(entry.icc, icc);
    });
    if (known == entries_.end()) {
      add(icc, coding);
    } else {
      entries_.splice(entries_.end(), entries_, known);
    }
    return entries_.back().transform.get();
  }

 private:
  struct Entry {
    std::vector<std::uint8_t> icc;
    Coding coding;
    TransformPtr transform;
  };

  void add(Bytes icc, Coding coding) {
    TransformPtr fresh = new_transform(icc, coding);
    if (fresh && changes_nothing(fresh.get(), coding)) fresh.reset();
    while (!entries_.empty() &&
           (entries_.size() >= kTransformMax || bytes_ + icc.size() > kKeptBytesMax)) {
      bytes_ -= entries_.front().icc.size();
      entries_.pop_front();
    }
    entries_.push_back({{icc.begin(), icc.end()}, coding, std::move(fresh)});
    bytes_ += icc.size();
  }

  std::list<Entry> entries_;  // The one that was asked for last stands last.
  std::size_t bytes_ = 0;     // Of their profiles.
};

// The profile of usual print that libvips brings.
Bytes default_cmyk_profile() {
  static const std::vector<std::uint8_t> kProfile = [] {
    VipsBlob* blob = nullptr;
    if (vips_profile_load("cmyk", &blob, nullptr) != 0 || blob == nullptr) {
      return std::vector<std::uint8_t>();
    }
    std::size_t size = 0;
    const auto* data = static_cast<const std::uint8_t*>(vips_blob_get(blob, &size));
    std::vector<std::uint8_t> bytes(data, data + size);
    vips_area_unref(VIPS_AREA(blob));
    return bytes;
  }();
  return kProfile;
}

void* transform_for(const Samples& samples) {
  thread_local Transforms transforms;
  if (!samples.icc.empty() && samples.icc.size() <= kProfileMax) {
    void* transform = transforms.get(samples.icc, samples.coding);
    if (transform != nullptr || samples.coding != Coding::cmyk) return transform;
  }
  return samples.coding == Coding::cmyk ? transforms.get(default_cmyk_profile(), Coding::cmyk)
                                        : nullptr;
}

// Copies samples that are grey or RGB to a picture that is grey or RGB.
Picture with_channels(const Samples& samples, int channels) {
  Picture picture{samples.width, samples.height, channels, {}};
  const Bytes from(samples.pixels.get(), samples.bytes());
  if (samples.channels == channels) {
    picture.pixels.assign(from.begin(), from.end());
    return picture;
  }
  const std::size_t count = from.size() / static_cast<std::size_t>(samples.channels);
  picture.pixels.resize(count * static_cast<std::size_t>(channels));
  for (std::size_t i = 0; i < count; ++i) {
    if (channels == 1) {
      picture.pixels[i] = grey_of(from[3 * i], from[3 * i + 1], from[3 * i + 2]);
    } else {
      std::fill_n(picture.pixels.begin() + static_cast<std::ptrdiff_t>(3 * i), 3, from[i]);
    }
  }
  return picture;
}

// What is left of full ink, without any profile.
void mix_inks(const Samples& cmyk, const Samples& rgb) {
  const std::uint8_t* from = cmyk.pixels.get();
  std::uint8_t* to = rgb.pixels.get();
  for (; to != rgb.row(rgb.height); from += 4) {
    for (int c = 0; c < 3; ++c) {
      *to++ = static_cast<std::uint8_t>((255 - from[c]) * (255 - from[3]) / 255);
    }
  }
}

}  // namespace

Picture to_picture(const Samples& samples, int channels) {
  void* transform = transform_for(samples);
  if (transform == nullptr && samples.coding != Coding::cmyk) {
    return with_channels(samples, channels);
  }
  const Samples rgb = new_samples(samples.width, samples.height, 3, Coding::rgb);
  if (transform == nullptr) {
    mix_inks(samples, rgb);
  } else {
    const auto count = static_cast<cmsUInt32Number>(samples.width * samples.height);
    cmsDoTransform(transform, samples.pixels.get(), rgb.pixels.get(), count);
  }
  return with_channels(rgb, channels);
}

}  // namespace imaging
