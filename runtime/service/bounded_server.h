// httplib::Server with bounds that it does not have (version 0.11): all reads of a request share
// one deadline and one budget of bytes (client_stream.h), ranges are ignored, and the number of
// connections is limited.  A connection gets one response.
#pragma once

#include <httplib.h>

#include <atomic>
#include <cstdint>
#include <thread>

#include "machine/telemetry.h"
#include "runtime/loop/event_fd.h"

namespace runtime {

class BoundedServer : public httplib::Server {
 public:
  BoundedServer();
  // Call it once the server is bound.  The library lets 5 connections wait to be accepted; a
  // further one would wait a second for its next attempt.
  void lengthen_queue();
  // Ends the connections that are still being read.  Call it after stop().
  void end_connections() { stopping_.notify(); }
  // May be called by any thread.
  void add_to(machine::Telemetry& report) const;

 private:
  bool process_and_close_socket(socket_t socket) override;

  EventFd stopping_;
  std::thread::id accepting_;  // Written by that thread before there is a connection.
  std::atomic<std::uint64_t> too_many_ = 0, too_slow_ = 0, too_long_ = 0;
};

}  // namespace runtime
