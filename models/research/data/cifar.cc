#include "models/research/data/cifar.h"

#include <algorithm>
#include <map>
#include <stdexcept>
#include <string>

#include "models/research/data/files.h"

namespace models {
namespace {

constexpr std::size_t kSide = 32;
constexpr std::size_t kPlane = kSide * kSide;
constexpr std::size_t kRecord = 1 + 3 * kPlane;

std::vector<std::string> batch_names(Part part) {
  if (part == Part::test) return {"test_batch.bin"};
  return {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
          "data_batch_5.bin"};
}

void append_record(Dataset& data, std::span<const std::uint8_t> record) {
  data.labels.push_back(record[0]);
  for (std::size_t p = 0; p < kPlane; ++p) {
    for (std::size_t c = 0; c < 3; ++c) data.pixels.push_back(record[1 + c * kPlane + p]);
  }
}

}  // namespace

Dataset cifar_without_pictures() {
  return {
      .name = "cifar10",
      .shape = {.width = kSide, .height = kSide, .channels = 3},
      .class_names = {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse",
                      "ship", "truck"},
      .normalisation = {.mean = {0.4914, 0.4822, 0.4465}, .deviation = {0.2470, 0.2435, 0.2616}},
      .pixels = {},
      .labels = {}};
}

Dataset load_cifar_binary(const std::filesystem::path& source, Part part) {
  std::map<std::string, std::vector<std::uint8_t>> batches;
  const LeftOut left_out =
      for_each_file(source, [&](const std::string& path, std::span<const std::uint8_t> bytes) {
        const std::string file = std::filesystem::path(path).filename().string();
        if (std::ranges::count(batch_names(part), file) != 0) {
          batches[file] = {bytes.begin(), bytes.end()};
        }
      });
  if (!left_out.files.empty()) {
    throw std::runtime_error(source.string() + ": " + left_out.files.front());
  }
  Dataset data = cifar_without_pictures();
  for (const std::string& file : batch_names(part)) {
    const auto fail = [&](const std::string& what) {
      throw std::runtime_error(source.string() + ": " + file + ": " + what);
    };
    const auto batch = batches.find(file);
    if (batch == batches.end()) fail("missing");
    const std::vector<std::uint8_t>& bytes = batch->second;
    if (bytes.empty() || bytes.size() % kRecord != 0) fail("is cut short");
    for (std::size_t begin = 0; begin < bytes.size(); begin += kRecord) {
      if (bytes[begin] > 9) fail("a label is over 9");
      append_record(data, std::span(bytes).subspan(begin, kRecord));
    }
  }
  return data;
}

}  // namespace models
