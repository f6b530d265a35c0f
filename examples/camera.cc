// A camera whose newest frames matter most: old frames give way, results come in order, and each
// has a short deadline.
//
//     camera tcp://127.0.0.1:5570 frames 25 [COUNT]     25 frames a second, COUNT of them
//
// The files of the folder play the camera, over and over.  Without COUNT it runs until Ctrl-C.
// Exit code 0, or 2 if it could not start.
#include <collage/client.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <deque>
#include <exception>
#include <iostream>
#include <string_view>
#include <vector>

#include "files.h"

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr collage::StreamId kStream = 1;   // All frames are of one stream: results keep its order.
constexpr std::size_t kFramesOpenMax = 8;  // Beyond it the oldest frame gives way to the newest.
constexpr auto kDeadline = 400ms;          // An older answer is of no use.

// The class of an answer, or what became of an image without one.
std::string_view outcome(const collage::Result& result) {
  if (result.status != collage::Status::answered) return to_string(result.status);
  return result.predictions.front().name;
}

class Camera {
 public:
  explicit Camera(const char* endpoint)
      : client_({.endpoints = {endpoint}, .deadline = kDeadline}) {
    client_.connect();
  }

  void on_frame(std::vector<std::byte> frame) {
    // Cancelling asks for no answer any more; the frame still gets its result, status cancelled.
    if (waiting_.size() == kFramesOpenMax) {
      client_.cancel(waiting_.front());
      waiting_.pop_front();
    }
    if (const auto id = client_.submit(std::move(frame), {.stream = kStream})) {
      waiting_.push_back(*id);
    }
  }

  void serve_until(Clock::time_point until) {
    for (auto now = Clock::now(); now < until && !stopped_; now = Clock::now()) {
      show(client_.poll(until - now));
    }
  }

  void finish() { show(client_.drain(2 * kDeadline)); }

  // The one call that a signal handler or another thread may make.
  void stop() {
    stopped_ = 1;
    client_.interrupt();
  }
  bool stopped() const { return stopped_ != 0; }

 private:
  void show(const std::vector<collage::Result>& results) {
    for (const collage::Result& result : results) {
      std::erase(waiting_, result.request);
      std::cout << "frame " << result.request << ": " << outcome(result) << std::endl;
    }
  }

  collage::Client client_;
  std::deque<collage::RequestId> waiting_;  // Frames that may still give way, oldest first.
  volatile std::sig_atomic_t stopped_ = 0;
};

Camera* running = nullptr;
void on_signal(int) { running->stop(); }

}  // namespace

int main(int argc, char** argv) try {
  const double rate = argc >= 4 ? std::atof(argv[3]) : 0;
  if (rate <= 0 || argc > 5) {
    std::cerr << "camera ENDPOINT FOLDER FRAMES_PER_SECOND [COUNT]\n";
    return 2;
  }
  const auto interval =
      std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(1 / rate));
  const auto files = files_of(argv[2]);
  const long count = argc == 5 ? std::atol(argv[4]) : -1;

  Camera camera(argv[1]);
  running = &camera;
  std::signal(SIGINT, on_signal);
  auto due = Clock::now();
  for (long frame = 0; frame != count && !camera.stopped(); ++frame) {
    camera.on_frame(read_file(files[static_cast<std::size_t>(frame) % files.size()]));
    camera.serve_until(due += interval);
  }
  std::signal(SIGINT, SIG_DFL);  // The handler must not outlive the camera.
  camera.finish();
  return 0;
} catch (const std::exception& error) {
  std::cerr << "camera: " << error.what() << "\n";
  return 2;
}
