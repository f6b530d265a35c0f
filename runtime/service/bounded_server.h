// httplib::Server with bounds that it does not have (version 0.11): all reads of a request share
// one deadline and one budget of bytes (client_stream.h), ranges are ignored, and the number of
// connections is limited.  A connection gets one response, and no error ends the listening
// (accept.h).
#pragma once

#include <httplib.h>

#include <atomic>
#include <cstdint>

#include "machine/telemetry.h"
#include "runtime/loop/event_fd.h"

namespace runtime {

class BoundedServer : public httplib::Server {
 public:
  BoundedServer() = default;
  ~BoundedServer() override;
  // In place of listen_after_bind(): listens and serves until end().  Requires that it is bound.
  void serve();
  // Ends serve(), now or as soon as it is called, and the connections that are still being read.
  // May be called by any thread.
  void end() { stopping_.notify(); }
  // May be called by any thread.
  void add_to(machine::Telemetry& report) const;

 private:
  void serve_one(socket_t socket);

  EventFd stopping_;  // Notified once and never taken, so that all threads see it.
  std::atomic<std::uint64_t> too_many_ = 0, too_slow_ = 0, too_long_ = 0;
};

}  // namespace runtime
