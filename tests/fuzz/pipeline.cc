// runtime/pipeline: any text is either a pipeline or a ConfigError of one line.

#include <string>

#include "runtime/config/config_error.h"
#include "runtime/pipeline/pipeline.h"
#include "tests/fuzz/input.h"
#include "wire/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = fuzz::Input(data, size).rest_as_text();
  try {
    // The paths in the text are those of the file that ships.
    const runtime::Pipeline pipeline =
        runtime::parse_pipeline(text, COLLAGE_SOURCE_DIR "/pipeline.yaml");
    COLLAGE_CHECK(pipeline.broker.linger < pipeline.broker.hedge_after);
    COLLAGE_CHECK(pipeline.broker.hedge_after < pipeline.broker.deadline);
  } catch (const runtime::ConfigError& error) {
    COLLAGE_CHECK(std::string(error.what()).find('\n') == std::string::npos);
  }
  return 0;
}
