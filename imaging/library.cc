#include "imaging/library.h"

#include <vips/vips.h>

#include <stdexcept>
#include <string>

namespace imaging {
namespace {

void ignore(const gchar*, GLogLevelFlags, const gchar*, gpointer) {}

}  // namespace

Library::Library() {
  if (VIPS_INIT("collage") != 0) {
    throw std::runtime_error(std::string("libvips does not start: ") + vips_error_buffer());
  }
  vips_operation_block_set("VipsForeignLoad", TRUE);
  vips_operation_block_set("VipsForeignLoadJpegBuffer", FALSE);
  vips_operation_block_set("VipsForeignLoadPngBuffer", FALSE);
  vips_cache_set_max(0);
  vips_concurrency_set(1);
  // A stranger's picture may cause a warning a scan line; what matters comes back as a Reason.
  g_log_set_handler("VIPS",
                    static_cast<GLogLevelFlags>(G_LOG_LEVEL_WARNING | G_LOG_LEVEL_MESSAGE |
                                                G_LOG_LEVEL_INFO | G_LOG_LEVEL_DEBUG),
                    ignore, nullptr);
}

Library::~Library() { vips_shutdown(); }

}  // namespace imaging
