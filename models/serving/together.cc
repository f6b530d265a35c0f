#include "models/serving/together.h"

#include <algorithm>
#include <exception>

#include "models/serving/input_tensor.h"
#include "models/serving/output_tensor.h"
#include "models/serving/probe_answers.h"

namespace models {
namespace {

// The first `count` of the probes, again and again.
torch::Tensor several(const std::vector<torch::Tensor>& probes, std::size_t count) {
  std::vector<torch::Tensor> inputs;
  for (std::size_t i = 0; i < count; ++i) inputs.push_back(probes[i % probes.size()]);
  return torch::cat(inputs);
}

// Whether so many inputs are answered as each alone.
bool answers_alike(const Call& call, const OutputForm& output,
                   const std::vector<torch::Tensor>& probes, std::size_t count) {
  ProbeAnswer right;
  for (std::size_t i = 0; i < count; ++i) {
    const ProbeAnswer one = values_of(scores_of(call(probes[i % probes.size()]), output));
    right.insert(right.end(), one.begin(), one.end());
  }
  try {
    const ProbeAnswer got = values_of(scores_of(call(several(probes, count)), output));
    return difference({&right, 1}, {&got, 1}) <= kDifferenceMax;
  } catch (const std::exception&) {  // c10's, or what the script throws.
    return false;
  }
}

// The shortest of some calls each, by turns; of a slow network one.
struct Times {
  double fewer = 0, more = 0;
};
Times times_of(const Call& call, const torch::Tensor& fewer, const torch::Tensor& more,
               const std::function<double()>& seconds) {
  constexpr int kRounds = 10;
  constexpr double kLongest = 0.2;
  const auto time_of = [&](const torch::Tensor& input) {
    const double begin = seconds();
    call(input);
    return seconds() - begin;
  };
  Times times{time_of(fewer), time_of(more)};
  double spent = times.fewer + times.more;
  for (int round = 1; round < kRounds && spent < kLongest; ++round) {
    const Times again{time_of(fewer), time_of(more)};
    spent += again.fewer + again.more;
    times = {std::min(times.fewer, again.fewer), std::min(times.more, again.more)};
  }
  return times;
}

}  // namespace

Together quickest_together(const Call& call, const OutputForm& output,
                           const std::vector<torch::Tensor>& probes, std::size_t most,
                           const std::function<double()>& seconds) {
  constexpr double kWorthwhile = 0.9;
  const c10::InferenceMode inference;
  Together best;
  std::size_t alike = 1;  // So many and fewer are answered as each alone.
  for (std::size_t count = 2; count <= most; count *= 2) {
    while (alike < count && answers_alike(call, output, probes, alike + 1)) ++alike;
    if (alike < count) break;
    const Times times =
        times_of(call, several(probes, best.count), several(probes, count), seconds);
    const double each = times.more / static_cast<double>(count);
    if (each > kWorthwhile * times.fewer / static_cast<double>(best.count)) break;
    best = {count, each};
  }
  return best;
}

std::string summary(const Together& together) {
  if (together.count == 1) return "";
  return ", " + std::to_string(together.count) + " at once " + milliseconds(together.seconds) +
         " each";
}

}  // namespace models
