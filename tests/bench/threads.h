// Threads beside the one that measures.
#pragma once

#include <cstdlib>
#include <exception>
#include <iostream>
#include <thread>
#include <utility>

namespace bench {

// Work that fails ends the process: nobody could go on without it.
template <class Work>
void run_or_exit(Work work) {
  try {
    work();
  } catch (const std::exception& error) {
    std::cerr << "collage_bench: " << error.what() << "\n";
    std::_Exit(2);
  }
}

// Joins a thread after it was told to end.
template <class Stop>
class Joined {
 public:
  Joined(std::thread thread, Stop stop) : thread_(std::move(thread)), stop_(std::move(stop)) {}
  ~Joined() {
    stop_();
    thread_.join();
  }
  Joined(const Joined&) = delete;
  Joined& operator=(const Joined&) = delete;

 private:
  std::thread thread_;
  Stop stop_;
};

}  // namespace bench
