// The conversation of bench_peers and bench_machine with scale.py.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>

namespace bench {

// Has so many images answered twice, so that the first have gone all the way, and writes "ready";
// waits for a line; writes "done" when `images` more have been answered, and waits for the end of
// the input.  `answer` has that many more answered.
template <class Answer>
[[noreturn]] void converse(std::uint64_t open, std::uint64_t images, Answer answer) {
  answer(2 * open);
  std::cout << "ready" << std::endl;
  std::string line;
  std::getline(std::cin, line);
  answer(images);
  std::cout << "done" << std::endl;
  std::getline(std::cin, line);
  std::_Exit(0);  // libzmq 4.3.4 may abort if it ends while frames are under way.
}

}  // namespace bench
