// Waits for ZeroMQ sockets and descriptors, and says which of them have something.
//
// As zmq_poll does, with fewer system calls: that polls once without waiting and once more with,
// and counts a timeout in whole milliseconds.  A patience that ends a millisecond late adds one to
// every slot that the collage answers.
#pragma once

#include <poll.h>

#include <cstddef>
#include <optional>
#include <vector>

#include "wire/types.h"

namespace runtime {

// Sources are added before each wait, for sockets come and go.
class Poll {
 public:
  void clear();
  // Return the number of the source, for ready().  Sockets are watched for messages to receive.
  std::size_t add_socket(void* socket);
  // The same for less, for a socket that has been received from until there was no message, and of
  // which nothing has been asked since.
  std::size_t add_drained_socket(void* socket);
  std::size_t add_descriptor(int descriptor);

  // Returns when a source is ready, at `until` (of runtime::now(); nullopt: never) or for a signal;
  // at once if `until` is over.  It may return earlier with nothing ready: a socket tells of more
  // than messages.
  void wait(std::optional<wire::Instant> until);
  // Whether the source had something when wait() returned.
  bool ready(std::size_t source) const { return sources_[source].ready; }

 private:
  struct Source {
    void* socket = nullptr;  // Null for a descriptor.
    bool drained = false;
    bool ready = false;
  };
  std::vector<Source> sources_;
  std::vector<pollfd> descriptors_;  // One for each source.
};

}  // namespace runtime
