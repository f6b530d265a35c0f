#include "imaging/library.h"

#include <vips/vips.h>

#include <stdexcept>
#include <string>

namespace imaging {
namespace {

struct Loader {
  Format format;
  const char* operation;
  const char* type;
};

constexpr Loader kLoaders[] = {
    {Format::webp, "webpload_buffer", "VipsForeignLoadWebpBuffer"},
    {Format::gif, "gifload_buffer", "VipsForeignLoadNsgifBuffer"},
    {Format::tiff, "tiffload_buffer", "VipsForeignLoadTiffBuffer"},
    {Format::heic, "heifload_buffer", "VipsForeignLoadHeifBuffer"},
    {Format::avif, "heifload_buffer", "VipsForeignLoadHeifBuffer"},
};

// Debian's libvips also links ImageMagick, poppler and others: blocks every loader, then allows
// those that are needed.
void allow_loaders(FormatSet formats) {
  vips_operation_block_set("VipsForeignLoad", TRUE);
  for (const Loader& loader : kLoaders) {
    if (!formats.contains(loader.format)) continue;
    if (vips_type_find("VipsOperation", loader.operation) == 0) {
      throw std::runtime_error("images.formats: this libvips has no loader for " +
                               std::string(name_of(loader.format)));
    }
    vips_operation_block_set(loader.type, FALSE);
  }
}

void ignore(const gchar*, GLogLevelFlags, const gchar*, gpointer) {}

}  // namespace

Library::Library(FormatSet formats) {
  if (VIPS_INIT("collage") != 0) {
    throw std::runtime_error(std::string("libvips cannot be started: ") + vips_error_buffer());
  }
  allow_loaders(formats);
  // Every picture is another one, so a cache of operations would only use memory.
  vips_cache_set_max(0);
  // With more threads, libvips accepted up to 3 of 50 files that were cut short by 0.1 to 3 %.
  vips_concurrency_set(1);
  // A damaged picture may cause a warning per scan line; the caller gets a Reason anyway.
  g_log_set_handler("VIPS",
                    static_cast<GLogLevelFlags>(G_LOG_LEVEL_WARNING | G_LOG_LEVEL_MESSAGE |
                                                G_LOG_LEVEL_INFO | G_LOG_LEVEL_DEBUG),
                    ignore, nullptr);
}

Library::~Library() { vips_shutdown(); }

}  // namespace imaging
