// What comes from outside a loop but not by its links, as descriptors that its poll can wait for.
#pragma once

#include <cstdint>

namespace runtime {

// SIGTERM, SIGINT and SIGHUP as something to read.  At most one of them in a process at a time;
// while it lives no such signal ends the process, whichever thread it finds: libraries start
// threads before main does, so blocking the signals in our own would not be enough.
class Signals {
 public:
  // What SIGHUP means: a tool's terminal is gone (unless that was to be ignored, as under nohup),
  // or a service is to read its file again.
  enum class Hangup : std::uint8_t { stops, reloads };
  explicit Signals(Hangup hangup = Hangup::stops);
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  // Readable when there is something to take.
  int stop_descriptor() const { return stop_; }
  int hangup_descriptor() const { return hangup_; }
  // How many reasons to stop, or to read the file again, have come since last asked.
  std::uint64_t take_stops();
  std::uint64_t take_hangups();

 private:
  int stop_;
  int hangup_;
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
