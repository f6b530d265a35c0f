// Reasons to stop that come from outside a loop, as descriptors that its poll can wait for.
#pragma once

#include <cstdint>

namespace runtime {

// SIGTERM and SIGINT as something to read.  At most one of them in a process at a time; while it
// lives neither signal ends the process, whichever thread it finds: libraries start threads before
// main does, so blocking the signals in our own would not be enough.
class Signals {
 public:
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  int descriptor() const { return descriptor_; }
  // How many have come since last asked.
  std::uint64_t take();

 private:
  int descriptor_;
};

// A bell that any thread may ring.
class Bell {
 public:
  Bell();
  ~Bell();
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;

  void ring();
  int descriptor() const { return descriptor_; }
  // How often it has been rung since last asked.
  std::uint64_t take();

 private:
  int descriptor_;
};

}  // namespace runtime
