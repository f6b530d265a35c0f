// Classifies one image and prints its class.
//
//     push_image tcp://127.0.0.1:5570 photo.jpg
//
// Exit code 0: answered.  1: not answered, with the reason.  2: it could not start.
#include <collage/client.h>

#include <chrono>
#include <exception>
#include <iostream>

#include "files.h"

int main(int argc, char** argv) try {
  if (argc != 3) {
    std::cerr << "push_image ENDPOINT FILE\n";
    return 2;
  }
  collage::Client client({.endpoints = {argv[1]}});
  client.connect();  // Not required, but it tells a wrong address from a slow answer.

  // One image at a time is the simplest use; push_folder.cc keeps many on their way.
  const collage::Result result = client.classify(read_file(argv[2]));

  if (result.status != collage::Status::answered) {
    std::cout << to_string(result.status) << " " << result.reason << "\n";
    return 1;
  }
  const collage::Prediction& best = result.predictions.front();
  std::cout << best.name << ", probability " << best.probability << ", from "
            << to_string(result.source) << ", after "
            << std::chrono::duration_cast<std::chrono::milliseconds>(result.latency).count()
            << " ms\n";
  return 0;
} catch (const std::exception& error) {  // collage::Error, or a file that cannot be read.
  std::cerr << "push_image: " << error.what() << "\n";
  return 2;
}
