// How many file descriptors the process may still use, and whether that is enough for more
// connections.
//
// libzmq 4.3.4 accepts connections until the process has no descriptor left.  From then on its I/O
// thread spins, as it cannot accept what it is told is waiting, and the process can open nothing
// any more: no connection of its own, no file.  So servers stop accepting while some are left.
#pragma once

namespace runtime {

// Returns how many connections may wait at a listener to be accepted, such that there are
// descriptors for all of them when few are left.  Holds for the limit of the process as it is now:
// a listener keeps its queue if the limit is lowered later.
int accept_queue_max();

// Returns true if few are left.  Costs a system call, for the system always gives the lowest
// descriptor that is free: few are left once the highest that connections may have is in use.
bool descriptors_scarce();

// Returns true if there are enough again.  Costs a system call for each descriptor in use.
bool descriptors_suffice();

}  // namespace runtime
