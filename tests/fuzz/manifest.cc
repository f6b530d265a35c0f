// models/serving: any text is either a manifest, which is written and read back as it is, or a
// ConfigError of one line.

#include <string>

#include "models/serving/manifest_reader.h"
#include "runtime/config/config_error.h"
#include "tests/fuzz/input.h"
#include "wire/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = fuzz::Input(data, size).rest_as_text();
  std::string written;
  try {
    const models::Manifest manifest = models::parse_manifest(text, "manifest.yaml");
    COLLAGE_CHECK(manifest.outputs() > 0);
    written = manifest_text(manifest);
  } catch (const runtime::ConfigError& error) {
    COLLAGE_CHECK(std::string(error.what()).find('\n') == std::string::npos);
    return 0;
  }
  COLLAGE_CHECK(manifest_text(models::parse_manifest(written, "manifest.yaml")) == written);
  return 0;
}
