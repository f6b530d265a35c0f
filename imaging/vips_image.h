// Ownership of a VipsImage; for the .cc files of imaging/ alone.
#pragma once

#include <vips/vips.h>

#include <memory>
#include <utility>

namespace imaging {

struct Unref {
  void operator()(VipsImage* image) const { g_object_unref(image); }
};

// One reference to an image; null says that the step that was to make it has failed.
using VipsImagePtr = std::unique_ptr<VipsImage, Unref>;

// Makes one libvips call: `call` is handed the place for the output and returns the status.
template <class Call>
VipsImagePtr made(Call call) {
  VipsImage* out = nullptr;
  const int status = call(&out);
  VipsImagePtr held(out);
  return status == 0 ? std::move(held) : nullptr;
}

}  // namespace imaging
