// The bytes of one HTTP connection, bounded in number and time.
//
// cpp-httplib 0.11 bounds each read and each header line, but not their number: a client that sends
// a byte a second, or header after header, would hold a thread and memory for ever.  Here all reads
// of a request share one deadline and one budget of bytes.
#pragma once

#include <httplib.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "wire/types.h"

namespace runtime {

// Renames the Range headers of a head that ends with an empty line, in place.  cpp-httplib 0.11
// matches their values with std::regex before anybody else sees them, and one of some thousand
// ranges, which is a valid one, drives its recursion through the stack.
void hide_ranges(std::span<char> head);

class ClientStream : public httplib::Stream {
 public:
  // Why a read came to nothing.
  enum class End : std::uint8_t { none, closed, timeout, too_long, stopped };

  // Owns `socket`.  Reads end as `stopped` once `stopping`, a descriptor, is readable.
  ClientStream(int socket, int stopping) : socket_(socket), stopping_(stopping) {}
  ~ClientStream() override;
  ClientStream(const ClientStream&) = delete;
  ClientStream& operator=(const ClientStream&) = delete;

  // Waits for the first byte of a request; false if none came within `idle`.
  bool wait(wire::Duration idle);
  // Waits until the head of a request is there as a whole, within the limits, and hides what
  // the library must not see of it (hide_ranges).
  void read_head();
  // Reads from now on end at `until`, and with `too_long` after `bytes_max` bytes.
  void limit(wire::Instant until, std::size_t bytes_max);
  void limit(std::size_t bytes_max) { budget_ = bytes_max; }
  End end() const { return end_; }

  // Sends what was written, but at most for `timeout`; false if the client does not take it.
  bool flush(wire::Duration timeout);
  // Drops what was written since the last flush.
  void discard() { out_.clear(); }
  // Ends the connection.  A client that is still sending gets some time to read the response
  // first: data that arrive at a closed socket would reset the connection, response and all.
  void linger(wire::Duration at_most);

  // httplib::Stream.  Writes are collected until flush, or until the next read has to wait.
  bool is_readable() const override { return true; }
  bool is_writable() const override { return true; }
  ssize_t read(char* to, std::size_t size) override;
  ssize_t write(const char* from, std::size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  socket_t socket() const override { return socket_; }

 private:
  bool fill();

  const int socket_;
  const int stopping_;
  wire::Instant until_;
  std::size_t budget_ = 0;
  End end_ = End::none;
  std::string in_;  // Read from the socket; consumed up to next_.
  std::size_t next_ = 0;
  std::string out_;
};

}  // namespace runtime
