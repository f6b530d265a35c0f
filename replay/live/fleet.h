// All processes of a pipeline on this host: started, watched, and stopped in order.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "replay/live/process.h"
#include "replay/live/start_watch.h"
#include "runtime/pipeline/pipeline.h"

namespace replay::live {

class Fleet {
 public:
  struct Size {
    int classifiers = 9;
    int collages = 1;
    bool gateway = false;  // Whether a gateway runs, too.
  };

  // Pipeline files by process name, for processes that do not use the common one.
  using PipelineFiles = std::map<std::string, std::filesystem::path>;

  // Starts broker, sinks, collage stages, classifiers and gateway from the pipeline file; each
  // process logs to `logs`/<name>.log.  Throws std::runtime_error.
  Fleet(const std::filesystem::path& pipeline, Size size, const std::filesystem::path& logs,
        PipelineFiles own = {});

  // Names and exit codes of the processes that have ended and have not been started again.
  Exited exited();
  // Starts a process again.  Requires that it has ended.
  void restart(const std::string& name);
  // The process of a name: broker, sink, sink-1, collage-0, classifier-3.  Throws
  // std::out_of_range.
  Process& process(const std::string& name) { return processes_.at(name); }

  // Stops all processes with SIGTERM, first the gateway, then the broker.  Returns false if one had
  // to be killed because it was still alive after kStopMax (start_watch.h).
  bool stop();

  std::size_t size() const { return processes_.size(); }

 private:
  void start(const std::string& name, const std::string& program,
             const std::vector<std::string>& arguments);

  const std::filesystem::path pipeline_;
  const PipelineFiles own_;
  const std::filesystem::path logs_;
  std::vector<std::string> order_;  // Process names in the order of their start.
  std::map<std::string, Process> processes_;
};

// The name of a sink's process: "sink" for index 0, then "sink-1".
std::string sink_name(std::size_t index);

// The last lines of a process's log, for an error message.
std::string log_tail(const std::filesystem::path& logs, const std::string& name);

}  // namespace replay::live
