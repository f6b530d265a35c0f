// A child process: started, watched, and never left behind.
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
  // Kills it if it is still there.
  ~Process();
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;

  pid_t id() const { return id_; }
  const std::vector<std::string>& argv() const { return argv_; }
  // Its exit code (128 + signal if a signal ended it), once it has ended.
  std::optional<int> exited();
  void signal(int number) const;
  // Waits for its end until `patience` is over, then kills it; returns its exit code.
  int wait(wire::Duration patience);

 private:
  pid_t id_ = 0;  // 0 once it has been waited for, or moved from.
  std::optional<int> code_;
  std::vector<std::string> argv_;
};

// `count` TCP ports of 127.0.0.1 that were free just now.
std::vector<int> free_ports(std::size_t count);

}  // namespace replay::live
