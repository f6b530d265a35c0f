// Accepts the connections of a listening socket, whatever fails on the way.
//
// cpp-httplib 0.11 has a loop of its own, which ends for ever at any error but three: a port that
// no longer listens, of a process that is well otherwise, would go unnoticed.  Here a process that
// is short of descriptors or memory serves again once it is not.
#pragma once

#include <functional>

namespace runtime {

// Passes each connection, a descriptor that is then the receiver's, to `take`, which must not wait.
// Returns once `stopping`, a descriptor, is readable.  Makes `listener` one that does not block.
void accept_until(int stopping, int listener, const std::function<void(int)>& take);

}  // namespace runtime
