// Ownership of a VipsImage.  Only the .cc files of imaging/ include this header.
#pragma once

#include <vips/vips.h>

#include <memory>
#include <utility>

namespace imaging {

struct Unref {
  void operator()(VipsImage* image) const { g_object_unref(image); }
};

// One reference to an image; null if the operation that should have made it failed.
using VipsImagePtr = std::unique_ptr<VipsImage, Unref>;

// Runs one libvips operation: `call` gets the address of the output and returns the status.
template <class Call>
VipsImagePtr made(Call call) {
  VipsImage* out = nullptr;
  const int status = call(&out);
  VipsImagePtr held(out);
  return status == 0 ? std::move(held) : nullptr;
}

}  // namespace imaging
