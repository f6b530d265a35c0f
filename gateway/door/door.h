// The HTTP endpoint of the gateway: listens, and serves every connection on a thread of its own.
//
// A thread that waits for an answer costs some kilobytes, so one for each connection is simple and
// enough for a few thousand; Policy::connections_max bounds them.  Threads are started as
// connections come, and kept.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "gateway/door/byte_budget.h"
#include "gateway/door/http_figures.h"
#include "gateway/door/responder.h"
#include "gateway/policy.h"
#include "runtime/loop/event_fd.h"

namespace gateway {

class Door {
 public:
  // Listens and serves until destroyed.  The gateway and its loop must outlive the door.  Throws
  // ConfigError if it cannot listen at the address, or if the process may not have as many
  // descriptors as connections_max needs.
  Door(const Policy& policy, Gateway& gateway, runtime::Loop& loop, Responder::Report report);
  // Ends idle connections at once and the others after their response.
  ~Door();

  // The port in use, also if the system chose it.
  std::uint16_t port() const { return port_; }
  const HttpFigures& figures() const { return figures_; }

 private:
  class Listener;

  void accept(int socket);
  bool have_thread();
  void work();
  void serve(int socket);

  const Policy policy_;
  runtime::EventFd stopping_;  // Notified once and never taken, so that all threads see it.
  ByteBudget budget_;
  HttpFigures figures_;
  Responder responder_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<int> accepted_;  // Connections that no thread has taken yet.
  std::size_t open_ = 0;      // Connections accepted and not closed.
  std::size_t idle_ = 0;      // Threads that wait for a connection.
  bool stopped_ = false;
  std::vector<std::thread> threads_;

  std::unique_ptr<Listener> listener_;
  std::uint16_t port_ = 0;
  std::thread listening_;
};

}  // namespace gateway
