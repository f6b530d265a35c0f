// models/research/data: any file is either a tar archive, compressed or not, or a
// std::runtime_error.

#include <stdexcept>

#include "models/research/data/files.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/memory_file.h"
#include "wire/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::MemoryFile file({data, size});
  try {
    models::for_each_file(file.path(), [](const std::string&, std::span<const std::uint8_t> bytes) {
      COLLAGE_CHECK(bytes.size() <= models::kFileBytesMax);
    });
  } catch (const std::runtime_error&) {
  }
  return 0;
}
