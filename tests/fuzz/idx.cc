// models/research/data: any file is either a whole IDX array or a std::runtime_error.

#include <functional>
#include <numeric>
#include <stdexcept>

#include "models/research/data/idx.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/memory_file.h"
#include "wire/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::MemoryFile file({data, size});
  try {
    const models::IdxArray array = models::read_idx(file.path());
    const std::size_t count = std::accumulate(array.shape.begin(), array.shape.end(),
                                              std::size_t{1}, std::multiplies<>());
    COLLAGE_CHECK(!array.shape.empty() && array.values.size() == count);
  } catch (const std::runtime_error&) {
  }
  return 0;
}
