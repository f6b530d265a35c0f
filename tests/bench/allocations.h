// How often malloc() was called in this process, by libraries too.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bench {

// Calls for at least so many bytes since the last call; it also sets how many those are from
// here on.  They may have been made by any thread.
std::uint64_t large_allocations(std::size_t bytes);

}  // namespace bench
