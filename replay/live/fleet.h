// A whole pipeline as real processes on this host.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "replay/live/process.h"
#include "runtime/pipeline/pipeline.h"

namespace replay::live {

class Fleet {
 public:
  struct Size {
    int classifiers = 9;
    int collages = 1;
  };

  // Pipeline files by process name, for those that have one of their own.
  using PipelineFiles = std::map<std::string, std::filesystem::path>;

  // Starts broker, sink, collage stages and classifiers from the pipeline file; each process logs
  // to `logs`/<name>.log.  Throws std::runtime_error.
  Fleet(const std::filesystem::path& pipeline, Size size, const std::filesystem::path& logs,
        PipelineFiles own = {});

  // Processes that have ended though nobody told them to, by name, with their exit codes.
  std::vector<std::pair<std::string, int>> fallen();
  // Starts a process that has ended once more.  Requires that it has.
  void restart(const std::string& name);
  // The process of this name: broker, sink, collage-0, classifier-3.
  Process& process(const std::string& name) { return processes_.at(name); }

  // Stops all in order, the broker first, with SIGTERM; false if one had to be killed.
  bool stop();

  std::size_t size() const { return processes_.size(); }

 private:
  void start(const std::string& name, const std::string& program,
             const std::vector<std::string>& arguments);

  const std::filesystem::path pipeline_;
  const PipelineFiles own_;
  const std::filesystem::path logs_;
  std::vector<std::string> order_;  // As started.
  std::map<std::string, Process> processes_;
};

// The last lines of a process's log, for an error message.
std::string log_tail(const std::filesystem::path& logs, const std::string& name);

}  // namespace replay::live
