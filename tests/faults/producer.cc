// A producer of a fixed rate that tells of every image, for the account of `./run faults`.
//
//     faults_producer FOLDER IMAGES_PER_SECOND DEADLINE_MS ENDPOINT...
//
// Sends the files of the folder over and over until SIGTERM, then waits for what is open.  Prints a
// JSON line when an image was submitted and one for each Result that the client library returns:
//
//     {"at":12.5,"image":3,"sent":17}
//     {"at":12.6,"label":4,"local":false,"reason":"","result":17,"source":"single",
//      "status":"answered"}
//
// `at` is of the monotonic clock, in seconds.  An image that the library does not take (its bounds
// are reached) is none: nothing was promised.  After a pause of this process it does not catch up.
#include <collage/client.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using Image = std::vector<std::byte>;
using namespace std::chrono_literals;

constexpr auto kBehindMax = 500ms;

volatile std::sig_atomic_t stopped = 0;

double seconds_now() {
  return std::chrono::duration<double>(Clock::now().time_since_epoch()).count();
}

// Flushed line by line: whoever reads it wants to know now, and we may be killed.
void print(const nlohmann::json& line) { std::cout << line.dump() << std::endl; }

std::vector<Image> read_images(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files(std::filesystem::directory_iterator(folder), {});
  std::sort(files.begin(), files.end());
  std::vector<Image> images;
  for (const auto& file : files) {
    std::ifstream in(file, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    const auto view = std::as_bytes(std::span(bytes));
    images.emplace_back(view.begin(), view.end());
  }
  if (images.empty()) throw std::runtime_error("no images in " + folder.string());
  return images;
}

void show(const std::vector<collage::Result>& results) {
  for (const collage::Result& result : results) {
    nlohmann::json line = {{"result", result.request},
                           {"at", seconds_now()},
                           {"status", to_string(result.status)},
                           {"source", to_string(result.source)},
                           {"reason", result.reason},
                           {"local", result.local}};
    if (!result.predictions.empty()) line["label"] = result.predictions.front().label;
    print(line);
  }
}

void submit(collage::Client& client, const std::vector<Image>& images, std::size_t image) {
  const double at = seconds_now();
  const auto id = client.submit(std::span(images[image]));
  if (id) print({{"sent", *id}, {"image", image}, {"at", at}});
}

void produce(collage::Client& client, const std::vector<Image>& images, Clock::duration interval) {
  std::size_t image = 0;
  for (auto due = Clock::now(); stopped == 0;) {
    const auto now = Clock::now();
    if (now > due + kBehindMax) due = now;
    if (now < due) {
      show(client.poll(due - now));
      continue;
    }
    submit(client, images, image++ % images.size());
    due += interval;
    show(client.poll(0ms));
  }
}

}  // namespace

int main(int argc, char** argv) try {
  const double rate = argc > 4 ? std::atof(argv[2]) : 0;
  const std::chrono::milliseconds deadline(argc > 4 ? std::atol(argv[3]) : 0);
  if (rate <= 0 || deadline <= 0ms) {
    std::cerr << "faults_producer FOLDER IMAGES_PER_SECOND DEADLINE_MS ENDPOINT...\n";
    return 2;
  }
  collage::Client client(
      {.endpoints = {argv + 4, argv + argc}, .affinity = "faults", .deadline = deadline});
  std::signal(SIGTERM, [](int) { stopped = 1; });
  produce(client, read_images(argv[1]),
          std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(1 / rate)));
  show(client.drain(deadline + 1s));
  return 0;
} catch (const std::exception& error) {
  std::cerr << "faults_producer: " << error.what() << "\n";
  return 2;
}
