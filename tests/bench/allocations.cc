#include "tests/bench/allocations.h"

#include <atomic>
#include <limits>

namespace bench {
namespace {

std::atomic<std::size_t> large = std::numeric_limits<std::size_t>::max();
std::atomic<std::uint64_t> count = 0;

}  // namespace

std::uint64_t large_allocations(std::size_t bytes) {
  large = bytes;
  return count.exchange(0);
}

}  // namespace bench

extern "C" {

void* __libc_malloc(std::size_t size);  // NOLINT(bugprone-reserved-identifier): glibc's own.

// Stands before glibc's for the whole process.
void* malloc(std::size_t size) {
  if (size >= bench::large.load(std::memory_order_relaxed)) {
    bench::count.fetch_add(1, std::memory_order_relaxed);
  }
  return __libc_malloc(size);
}

}  // extern "C"
