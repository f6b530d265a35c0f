// Classifies the files of a folder at a steady rate and prints a line for each.
//
//     push_folder tcp://127.0.0.1:5570 photos 50        50 images a second
//
// Exit code 0: every image was answered.  1: some were not.  2: it could not start.
#include <collage/client.h>

#include <chrono>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "files.h"

namespace {

using Clock = std::chrono::steady_clock;

// The class of an answer, or what became of an image without one.
std::string_view outcome(const collage::Result& result) {
  if (result.status != collage::Status::answered) return to_string(result.status);
  return result.predictions.front().name;
}

class Pusher {
 public:
  explicit Pusher(const char* endpoint) : client_({.endpoints = {endpoint}}) { client_.connect(); }

  void submit(const std::filesystem::path& file) {
    // nullopt would mean that 1024 images are open (Options::open_max): the rate is more than the
    // pipeline can do.  Then this program waits for a place; a camera would drop the frame.
    std::optional<collage::RequestId> id;
    while (!(id = client_.submit(read_file(file)))) serve(std::chrono::milliseconds(100));
    names_[*id] = file.filename().string();
  }

  // Sends and receives until then.
  void serve_until(Clock::time_point until) {
    for (auto now = Clock::now(); now < until; now = Clock::now()) serve(until - now);
  }

  // Every image gets a result by its deadline, so this comes to an end.
  void finish() {
    while (client_.open() > 0) serve(std::chrono::seconds(1));
  }

  bool all_answered() const { return failed_ == 0; }

 private:
  void serve(collage::Duration timeout) {
    for (const collage::Result& result : client_.poll(timeout)) {
      std::cout << names_[result.request] << ": " << outcome(result) << std::endl;
      names_.erase(result.request);
      failed_ += result.status != collage::Status::answered;
    }
  }

  collage::Client client_;
  std::map<collage::RequestId, std::string> names_;  // Of the open images.
  int failed_ = 0;
};

}  // namespace

int main(int argc, char** argv) try {
  const double rate = argc == 4 ? std::atof(argv[3]) : 0;
  if (rate <= 0) {
    std::cerr << "push_folder ENDPOINT FOLDER IMAGES_PER_SECOND\n";
    return 2;
  }
  const auto interval =
      std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(1 / rate));
  Pusher pusher(argv[1]);
  auto due = Clock::now();
  for (const auto& file : files_of(argv[2])) {
    pusher.serve_until(due);
    pusher.submit(file);
    due += interval;  // Not "now plus interval": a late image does not slow those after it.
  }
  pusher.finish();
  return pusher.all_answered() ? 0 : 1;
} catch (const std::exception& error) {
  std::cerr << "push_folder: " << error.what() << "\n";
  return 2;
}
