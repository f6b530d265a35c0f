#include "runtime/loop/random_id.h"

#include <sys/random.h>

#include "wire/check.h"

namespace runtime {

std::uint64_t random_bits() {
  std::uint64_t bits = 0;
  // Requests of up to 256 bytes are never cut short or interrupted (getrandom(2)).
  COLLAGE_CHECK(getrandom(&bits, sizeof bits, 0) == sizeof bits);
  return bits;
}

}  // namespace runtime
