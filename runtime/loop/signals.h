// SIGTERM, SIGINT and SIGHUP as descriptors that a poll can wait for.
#pragma once

#include <cstdint>

#include "runtime/loop/event_fd.h"

namespace runtime {

// At most one object in a process at a time.  While the object lives, none of the three signals
// ends the process, whichever thread the kernel delivers the signal to: libraries start threads
// before main does, so blocking the signals in our own threads would not be enough.
class Signals {
 public:
  // `stops`: SIGHUP means that a tool's terminal is gone; ignored if it was ignored before, as
  // under nohup.  `reloads`: SIGHUP asks a service to read its configuration again.
  enum class Hangup : std::uint8_t { stops, reloads };
  explicit Signals(Hangup hangup = Hangup::stops);
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  // Readable while there is something to take.
  int stop_descriptor() const { return stop_.descriptor(); }
  int hangup_descriptor() const { return hangup_.descriptor(); }
  // Return the number of requests to stop, or to reload, since the last call.
  std::uint64_t take_stops() { return stop_.take(); }
  std::uint64_t take_hangups() { return hangup_.take(); }

 private:
  EventFd stop_;
  EventFd hangup_;
};

}  // namespace runtime
