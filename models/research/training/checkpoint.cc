#include "models/research/training/checkpoint.h"

#include <stdexcept>

#include "models/research/atomic_file.h"

namespace models {

void save_checkpoint(const std::filesystem::path& file, const std::string& fingerprint,
                     GridNet& net, torch::optim::SGD& optimizer, const Checkpoint& state) {
  torch::serialize::OutputArchive archive;
  torch::serialize::OutputArchive weights;
  torch::serialize::OutputArchive momentum;
  net->save(weights);
  optimizer.save(momentum);
  archive.write("fingerprint", c10::IValue(fingerprint));
  archive.write("epoch", c10::IValue(static_cast<std::int64_t>(state.epoch)));
  archive.write("best", c10::IValue(state.best));
  archive.write("weights", weights);
  archive.write("momentum", momentum);
  if (state.average) {
    torch::serialize::OutputArchive average;
    state.average->save(average);
    archive.write("average", average);
  }
  write_by_rename(file, [&](const std::string& part) { archive.save_to(part); });
}

void load_checkpoint(const std::filesystem::path& file, const std::string& fingerprint,
                     GridNet& net, torch::optim::SGD& optimizer, Checkpoint& state) {
  torch::serialize::InputArchive archive;
  c10::IValue value;
  try {
    archive.load_from(file.string());
    archive.read("fingerprint", value);
  } catch (const c10::Error&) {
    throw std::runtime_error(file.string() + ": is damaged or no checkpoint");
  }
  if (value.toStringRef() != fingerprint) {
    throw std::runtime_error(file.string() + ": is of another run (" + value.toStringRef() +
                             ", here " + fingerprint + "); remove it to start again");
  }
  torch::serialize::InputArchive weights;
  torch::serialize::InputArchive momentum;
  archive.read("epoch", value);
  state.epoch = static_cast<int>(value.toInt());
  archive.read("best", value);
  state.best = value.toDouble();
  archive.read("weights", weights);
  archive.read("momentum", momentum);
  net->load(weights);
  optimizer.load(momentum);
  if (state.average) {
    torch::serialize::InputArchive average;
    archive.read("average", average);
    state.average->load(average);
  }
}

}  // namespace models
