#include "replay/live/fleet.h"

#include <signal.h>

#include <algorithm>
#include <fstream>
#include <utility>

#include "runtime/service/install_paths.h"
#include "wire/check.h"

namespace replay::live {

Fleet::Fleet(const std::filesystem::path& pipeline, Size size, const std::filesystem::path& logs,
             PipelineFiles own)
    : pipeline_(pipeline), own_(std::move(own)), logs_(logs) {
  std::filesystem::create_directories(logs);
  start("broker", "collage-broker", {});
  const runtime::Pipeline::Endpoints endpoints = runtime::load_pipeline(pipeline).endpoints;
  for (std::size_t i = 0; i < endpoints.answers.size(); ++i) {
    start(sink_name(i), "collage-sink", {"--index", std::to_string(i)});
  }
  const bool together = endpoints.collage.starts_with("inproc://");
  for (int i = 0; i < size.collages; ++i) {
    const std::vector<std::string> index = {"--index", std::to_string(i)};
    for (const char* role : together ? std::vector<const char*>{"collage"}
                                     : std::vector<const char*>{"assembler", "collage-cnn"}) {
      start(std::string(role) + "-" + std::to_string(i), "collage-stage",
            {role, index[0], index[1]});
    }
  }
  for (int i = 0; i < size.classifiers; ++i) {
    const std::string index = std::to_string(i);
    start(std::string("classifier-") + index, "collage-stage", {"classifier", "--index", index});
  }
  if (size.gateway) start("gateway", "collage-gateway", {});
}

std::string sink_name(std::size_t index) {
  return index == 0 ? "sink" : "sink-" + std::to_string(index);
}

void Fleet::start(const std::string& name, const std::string& program,
                  const std::vector<std::string>& arguments) {
  std::vector<std::string> argv = {(runtime::program_folder() / program).string()};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  const auto own = own_.find(name);
  argv.push_back((own == own_.end() ? pipeline_ : own->second).string());
  std::filesystem::remove(logs_ / (name + ".log"));
  processes_.emplace(name, Process(std::move(argv), logs_ / (name + ".log")));
  order_.push_back(name);
}

Exited Fleet::exited() {
  Exited exited;
  for (const std::string& name : order_) {
    if (const auto code = processes_.at(name).exited()) exited.emplace_back(name, *code);
  }
  return exited;
}

void Fleet::restart(const std::string& name) {
  Process& process = processes_.at(name);
  COLLAGE_CHECK(process.exited().has_value());
  process = Process(process.argv(), logs_ / (name + ".log"));
}

bool Fleet::stop() {
  // Whoever needs others to drain goes before them: the gateway waits for the broker's answers, and
  // the broker for those of its stages.
  const auto turn_of = [](const std::string& name) {
    return name == "gateway" ? 0 : name == "broker" ? 1 : 2;
  };
  bool clean = true;
  for (const int turn : {0, 1, 2}) {
    for (const std::string& name : order_) {
      if (turn_of(name) == turn) processes_.at(name).signal(SIGTERM);
    }
    for (const std::string& name : order_) {
      if (turn_of(name) == turn) clean &= processes_.at(name).wait(kStopMax) != 128 + SIGKILL;
    }
  }
  return clean;
}

std::string log_tail(const std::filesystem::path& logs, const std::string& name) {
  std::ifstream in(logs / (name + ".log"));
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  std::string tail;
  for (std::size_t i = lines.size() - std::min<std::size_t>(lines.size(), 3); i < lines.size();
       ++i) {
    tail += (tail.empty() ? "" : " | ") + lines[i];
  }
  return tail.empty() ? "(nothing)" : tail;
}

}  // namespace replay::live
