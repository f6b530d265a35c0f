// Measures what a piece of code asks of operator new; of this test program only.
#pragma once

#include <cstddef>

namespace wire_test {

// Bytes asked for on this thread since the program began.
std::size_t allocated_bytes();

}  // namespace wire_test
