// An honest producer that streams images at a fixed pace, on a thread of its own, while a test
// plays an attacker.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "tests/system/live_pipeline.h"

namespace system_test {

class Honest {
 public:
  // Asks for the answer of each image once, before anybody attacks, and then goes on.
  Honest(const LivePipeline& pipeline, const std::filesystem::path& keys = {});
  ~Honest();

  // Whether an attack goes on now.
  void attacked(bool yes) { attacked_ = yes; }
  // Waits until so many further images have been answered; false if that takes a minute.
  bool await(std::size_t count) const;
  // Stops, waits for the last answers, and expects that every image got one, the same as before.
  // Prints the latencies under `name`: alone and attacked.
  void finish(const std::string& name);

 private:
  struct Sent {
    wire::Instant at;
    bool attacked = false;
    int answers = 0;
    std::string label{}, others{};
    wire::Duration latency{};
  };

  void run();
  void submit(producer::Connection& connection, bool attacked);
  wire::Duration p99(bool attacked) const;

  const std::vector<Sample> images_ = samples(40);
  const std::string endpoint_;
  const std::filesystem::path keys_;
  std::atomic<bool> attacked_ = false, stopped_ = false;
  std::atomic<std::size_t> answered_ = 0;
  std::vector<Sent> sent_;  // The thread's, until it has ended.
  std::thread thread_;
};

// True if a longer run is asked for, which says how much slower attacked images are.
bool measuring();
// Lets the honest producer be alone and attacked by turns, until enough images have been answered
// each time.  What `attack` has begun should go on when it returns.
void by_turns(Honest& honest, const std::function<void()>& attack);

}  // namespace system_test
