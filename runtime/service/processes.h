// Processes that share the memory of what was loaded before they began.
//
//     parent   loads, forks its children, waits; begins a child anew that has ended by itself
//     child i  does its work as if it were alone; its result is its exit code
//
// A page that no child writes to is there once, whatever the number of children, and a child begins
// in milliseconds, however long the parent has loaded.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

namespace runtime {

// Forks `count` children, each of which runs `child` with its number, and returns in all of them:
// in a child what `child` has returned, and in the parent, once all children have ended, the
// largest of their last exit codes.  Throws in a child what `child` throws.
//
// SIGTERM, SIGINT and SIGHUP are passed on to the children; after one of the first two nothing
// begins anew.  A child that ends by itself begins anew, at most once a second; but one that cannot
// start at its first begin, which is exit code 2, ends all.  Children are process groups of their
// own.  If the parent is killed, they get SIGTERM.  systemd is told of the parent alone: that it is
// ready once all have been forked.
//
// Requires count > 0, no Signals object, and that the calling thread is the only one but for those
// of libraries that are prepared for a fork.  `name` is that of the children in the log.
int run_processes(std::size_t count, const std::string& name,
                  const std::function<int(std::size_t)>& child);

}  // namespace runtime
