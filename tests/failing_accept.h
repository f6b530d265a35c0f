// Lets the next accept at a port fail, as no test can make the kernel run out of files or memory
// for one process alone.  For one file of a program: it stands in place of the C library's accept4.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

namespace tests {

// What the next accept at a port fails with; 0 for nothing.
inline std::atomic<int> g_accept_error = 0;
inline std::atomic<int> g_accept_port = 0;

inline bool listens_at_port(int socket, int port) {
  sockaddr_in own{};
  socklen_t size = sizeof own;
  return getsockname(socket, reinterpret_cast<sockaddr*>(&own), &size) == 0 &&
         own.sin_family == AF_INET && ntohs(own.sin_port) == port;
}

}  // namespace tests

extern "C" int accept4(int socket, sockaddr* from, socklen_t* size, int flags) {
  if (tests::g_accept_error != 0 && tests::listens_at_port(socket, tests::g_accept_port)) {
    errno = tests::g_accept_error.exchange(0);
    return -1;
  }
  return static_cast<int>(::syscall(SYS_accept4, socket, from, size, flags));
}
