#include "stages/sink/policy_reader.h"

#include <chrono>

namespace stages::sink {

Sink::Policy read_policy(runtime::Section s) {
  using std::chrono::milliseconds;
  using std::chrono::minutes;
  Sink::Policy policy;
  Patience::Policy& p = policy.patience;
  p.learned = s.choice<bool>("patience", {{"learned", true}, {"fixed", false}}, p.learned);
  p.initial = s.duration("patience_initial", milliseconds(1), minutes(10), p.initial);
  p.min = s.duration("patience_min", milliseconds(1), minutes(10), p.min);
  p.max = s.duration("patience_max", milliseconds(1), minutes(10), p.max);
  p.window = static_cast<std::size_t>(
      s.integer("window", 8, 100'000, static_cast<std::int64_t>(p.window)));
  Joiner::Policy& j = policy.joiner;
  j.gate = static_cast<float>(s.number("gate", 0, 1, static_cast<double>(j.gate)));
  j.open_batch_max = static_cast<std::size_t>(
      s.integer("open_batch_max", 1, 10'000'000, static_cast<std::int64_t>(j.open_batch_max)));
  j.orphan_max = static_cast<std::size_t>(
      s.integer("orphan_max", 0, 10'000'000, static_cast<std::int64_t>(j.orphan_max)));
  policy.show_pictures = s.flag("show_pictures", policy.show_pictures);
  return policy;
}

}  // namespace stages::sink
