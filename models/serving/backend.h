// What runs a network: LibTorch for TorchScript (torch_backend.h), OpenCV for ONNX
// (onnx_backend.h).  Another library is another implementation and a line in load_backend().  No
// library's types here.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "models/serving/manifest.h"
#include "models/serving/serving_policy.h"

namespace models {

class Backend {
 public:
  virtual ~Backend() = default;

  // The logits that the network gives for one input, row by row, or for up to together() inputs,
  // one after another.  `planes` has the normalised values of each: manifest.input(), channels x
  // height x width.  Throws std::exception if it fails.  One thread at a time may call it.
  virtual std::vector<float> run(std::span<const float> planes) = 0;
  // How many inputs at once take the least time each.
  virtual std::size_t together() const { return 1; }

  // How many numbers run() returns for an input, and what came back, for people: "Float [1, 10]".
  virtual std::size_t numbers() const = 0;
  virtual std::string returned() const = 0;
  // Whether each row of numbers sums to 1, as after a softmax.
  virtual bool sums_to_one() const = 0;
  // The form in a word; the same in a line with the time of each form and why another is not
  // served; and what a user should look at before trusting the answers, each a clause.
  virtual std::string form() const = 0;
  virtual std::string how_served() const = 0;
  virtual const std::vector<std::string>& warnings() const = 0;
};

// Inputs by which the forms of a network are compared; one at least.
using Probes = std::vector<std::vector<float>>;

// Loads manifest.weights with the library for such a file, to be served by `policy`.  Throws
// std::runtime_error with one line that names the file, as the libraries' own functions do.
std::unique_ptr<Backend> load_backend(const Manifest& manifest, const Probes& probes,
                                      const ServingPolicy& policy = {});

// Throws std::runtime_error naming the file unless the network gives as many numbers as its
// manifest promises.
void require_count(const Manifest& manifest, const Backend& backend);

}  // namespace models
