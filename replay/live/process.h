// A child process that does not outlive its owner.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "wire/types.h"

namespace replay::live {

class Process {
 public:
  // Starts `argv` with its output appended to `log`.  The child gets SIGTERM if we die.  Throws
  // std::runtime_error naming the program if it cannot be started.
  Process(std::vector<std::string> argv, const std::filesystem::path& log);
  // Kills the process if it is still alive.
  ~Process();
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;

  pid_t id() const { return id_; }
  const std::vector<std::string>& argv() const { return argv_; }
  // The exit code (128 + signal number if a signal ended it); nullopt while the process lives.
  std::optional<int> exited();
  void signal(int number) const;
  // Waits for the end of the process for at most `limit`, then kills it.  Returns the exit code.
  int wait(wire::Duration limit);

 private:
  pid_t id_ = 0;  // 0 after the process has been waited for, or the object moved from.
  std::optional<int> code_;
  std::vector<std::string> argv_;
};

// Blocks the thread: between two looks at processes, which cannot be polled with a socket.
void pause(wire::Duration duration);

// `count` TCP ports of 127.0.0.1 that were free a moment ago.
std::vector<int> free_ports(std::size_t count);

}  // namespace replay::live
