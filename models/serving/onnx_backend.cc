#include "models/serving/onnx_backend.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <limits>
#include <new>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/dnn.hpp>
#include <optional>
#include <stdexcept>
#include <string_view>

#include "models/serving/onnx_graph.h"
#include "models/serving/probe_answers.h"
#include "models/serving/processor_time.h"
#include "models/serving/sha256.h"

namespace models {
namespace {

// What OpenCV says, without its own file names and line numbers: the operator and why.
std::string reason_of(const cv::Exception& error) {
  std::string text = error.err;
  std::string where;
  constexpr std::string_view kNode = "Node [";
  if (const std::size_t node = text.find(kNode); node != std::string::npos) {
    const std::size_t name = node + kNode.size();
    where = "at " + text.substr(name, text.find_first_of("@]", name) - name) + ": ";
  }
  // One error wraps another; the innermost says why.
  if (const std::size_t inner = text.rfind("error: ("); inner != std::string::npos) {
    text.erase(0, text.find(')', inner) + 1);
  }
  const std::size_t first = text.find_first_not_of(" \n");
  text.erase(0, first == std::string::npos ? text.size() : first);
  return where + text.substr(0, text.find('\n'));
}

void throw_if_out_of_memory(const cv::Exception& error) {
  if (error.code == cv::Error::StsNoMem) throw std::bad_alloc();
}

cv::Mat blob_of(std::span<const float> planes, const TileShape& shape) {
  const std::array<int, 4> sizes = {1, shape.channels, shape.height, shape.width};
  // Borrows the numbers; OpenCV does not write to an input.
  return cv::Mat(4, sizes.data(), CV_32F, const_cast<float*>(planes.data()));
}

// The output that the manifest names, or the first.
std::string output_name(const ReadableOnnx& graph, const std::string& key) {
  if (key.empty()) return graph.outputs.front();
  if (std::ranges::find(graph.outputs, key) != graph.outputs.end()) return key;
  std::string all;
  for (const std::string& name : graph.outputs) all += (all.empty() ? "" : ", ") + name;
  throw std::runtime_error("has the outputs " + all + ", but its manifest has output.key " + key);
}

// One form of a network.
class Form {
 public:
  Form(const ReadableOnnx& graph, const Manifest& manifest, bool fused)
      : net_(cv::dnn::readNetFromONNX(graph.bytes.data(), graph.bytes.size())),
        output_(output_name(graph, manifest.output_form.key)),
        input_(manifest.input()) {
    net_.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
    net_.enableFusion(fused);
  }

  ProbeAnswer run(std::span<const float> planes) {
    net_.setInput(blob_of(planes, input_));
    const cv::Mat out = net_.forward(output_);
    if (out.depth() != CV_32F) throw std::runtime_error("returns no floating-point numbers");
    shape_.assign(out.size.p, out.size.p + out.dims);
    const cv::Mat whole = out.isContinuous() ? out : out.clone();
    const auto* numbers = whole.ptr<float>();
    return {numbers, numbers + whole.total()};
  }

  // As of a tensor: "Float [1, 10]".
  std::string returned() const {
    std::string text;
    for (const int side : shape_) text += (text.empty() ? "" : ", ") + std::to_string(side);
    return "Float [" + text + "]";
  }

 private:
  cv::dnn::Net net_;
  std::string output_;
  TileShape input_;
  std::vector<int> shape_;  // Of the last answer.
};

struct Tried {
  std::optional<Form> form;
  std::vector<ProbeAnswer> answers;
  ProbeAnswer again;  // To the first probe.
  // The shortest call: what others did on the processor meanwhile only makes calls longer.
  double seconds = std::numeric_limits<double>::infinity();
};

Tried tried(const ReadableOnnx& graph, const Manifest& manifest, bool fused, const Probes& probes) {
  Tried one;
  one.form.emplace(graph, manifest, fused);
  for (const auto& probe : probes) one.answers.push_back(one.form->run(probe));
  // Timed once its memory is laid out.
  for (const auto& probe : probes) {
    const double begin = seconds_used();
    ProbeAnswer answer = one.form->run(probe);
    one.seconds = std::min(one.seconds, seconds_used() - begin);
    if (&probe == &probes.front()) one.again = std::move(answer);
  }
  return one;
}

class OnnxBackend : public Backend {
 public:
  // `graph` is what OpenCV reads.
  OnnxBackend(const ReadableOnnx& graph, const Manifest& manifest, const Probes& probes)
      : output_(manifest.output_form) {
    Tried plain = tried(graph, manifest, false, probes);
    require_finite(plain.answers);
    numbers_ = plain.answers.front().size();
    sums_to_one_ = sum_to_one(plain.answers, manifest.class_names.size());
    warnings_ = warnings_of(plain.answers.front(), plain.again, output_, sums_to_one_);
    if (output_.key.empty() && graph.outputs.size() > 1) {
      warnings_.push_back("has " + std::to_string(graph.outputs.size()) +
                          " outputs, of which the first, " + graph.outputs.front() +
                          ", is taken; output.key in its manifest names another");
    }
    choose(std::move(plain), graph, manifest, probes);
  }

  std::vector<float> run(std::span<const float> planes) override {
    ProbeAnswer answer;
    try {
      answer = form_->run(planes);
    } catch (const cv::Exception& error) {
      throw_if_out_of_memory(error);
      throw;
    }
    if (output_.scores == Scores::probabilities) {
      constexpr auto kMin = static_cast<float>(kProbabilityMin);
      for (float& number : answer) number = std::log(std::max(number, kMin));
    }
    return answer;
  }
  std::size_t numbers() const override { return numbers_; }
  std::string returned() const override { return form_->returned(); }
  bool sums_to_one() const override { return sums_to_one_; }
  std::string form() const override { return fused_ ? "fused" : "plain"; }
  std::string how_served() const override { return how_; }
  const std::vector<std::string>& warnings() const override { return warnings_; }

 private:
  void choose(Tried plain, const ReadableOnnx& graph, const Manifest& manifest,
              const Probes& probes) {
    const std::string of_plain = "plain " + milliseconds(plain.seconds);
    std::string of_fused = "fused";
    try {
      Tried fused = tried(graph, manifest, true, probes);
      const double apart = difference(plain.answers, fused.answers);
      const bool right = apart <= kDifferenceMax;
      of_fused += right ? " " + milliseconds(fused.seconds) : wrong_by(apart);
      fused_ = right && fused.seconds <= kSlowerBy * plain.seconds;
      if (fused_) form_.emplace(std::move(*fused.form));
    } catch (const cv::Exception& error) {
      throw_if_out_of_memory(error);
      of_fused += " fails: " + reason_of(error);
    } catch (const std::runtime_error& error) {
      of_fused += std::string(" fails: ") + error.what();
    }
    if (!form_) form_.emplace(std::move(*plain.form));
    how_ = (fused_ ? of_fused + " (" + of_plain : of_plain + " (" + of_fused) + ") by OpenCV";
  }

  OutputForm output_;
  std::optional<Form> form_;
  bool fused_ = false;
  std::size_t numbers_ = 0;
  bool sums_to_one_ = false;
  std::string how_;
  std::vector<std::string> warnings_;
};

}  // namespace

bool is_onnx(const std::filesystem::path& file) {
  if (file.extension() == ".onnx") return true;
  std::array<char, 3> first{};
  std::ifstream in(file, std::ios::binary);
  in.read(first.data(), first.size());
  // The field ir_version (1, a number), then the name or version of the producer (2, 3), the graph
  // (7) or the set of operators (8).
  constexpr std::string_view kNext = "\x12\x1a\x3a\x42";
  return in.gcount() == 3 && first[0] == '\x08' && first[1] < '\x20' &&
         kNext.find(first[2]) != std::string_view::npos;
}

std::unique_ptr<Backend> load_onnx_backend(const Manifest& manifest, const Probes& probes) {
  static const bool set =
      (cv::setNumThreads(1), cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT),
       true);
  (void)set;
  require_sha256(manifest.weights, manifest.sha256);
  const ReadableOnnx graph = readable_onnx(manifest.weights);
  try {
    return std::make_unique<OnnxBackend>(graph, manifest, probes);
  } catch (const cv::Exception& error) {
    throw_if_out_of_memory(error);
    throw std::runtime_error(manifest.weights.string() +
                             ": OpenCV does not run it: " + reason_of(error));
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    throw std::runtime_error(manifest.weights.string() + ": " + error.what());
  }
}

}  // namespace models
