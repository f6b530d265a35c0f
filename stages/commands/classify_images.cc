#include "stages/commands/classify_images.h"

#include <cstdint>
#include <iterator>
#include <new>
#include <utility>
#include <vector>

#include "runtime/loop/clock.h"
#include "stages/commands/stage_commands.h"

namespace stages {
namespace {

// Puts into `outcomes`, one for each image of which job.image is the first, what comes of them.
void classify_into(std::vector<machine::Outcome>& outcomes, const models::Network& network,
                   const imaging::Limits& limits, std::size_t top_k, const machine::Classify& job) {
  std::vector<imaging::Picture> pictures;
  std::vector<std::size_t> places;  // Of the pictures, among the outcomes.
  const auto decode = [&](std::size_t place, const wire::Payload& image) {
    auto picture = imaging::decode(image.bytes(), network.manifest().target(), limits);
    if (!picture) {
      outcomes[place].what = wire::Verdict{{}, picture.error()};
      return;
    }
    pictures.push_back(std::move(*picture));
    places.push_back(place);
  };
  decode(0, job.image);
  for (std::size_t i = 0; i < job.more.size(); ++i) decode(i + 1, job.more[i]);
  if (pictures.empty()) return;
  const wire::Instant begun = runtime::now();
  std::vector<wire::Verdict> verdicts = network.classify(pictures, top_k);
  const wire::Duration share = (runtime::now() - begun) / static_cast<std::int64_t>(places.size());
  for (std::size_t i = 0; i < places.size(); ++i) {
    outcomes[places[i]].what = std::move(verdicts[i]);
    outcomes[places[i]].compute = share;
  }
}

}  // namespace

machine::Outcome classify_images(const models::Network& network, const imaging::Limits& limits,
                                 std::size_t top_k, const machine::Classify& job) {
  std::vector<machine::Outcome> outcomes(job.more.size() + 1,
                                         {.what = wire::Verdict{}, .version = network.version()});
  try {
    classify_into(outcomes, network, limits, top_k, job);
  } catch (const std::bad_alloc&) {
    // What has no verdict by now has failed, and the image goes elsewhere.
    say_out_of_memory();
  }
  machine::Outcome first = std::move(outcomes.front());
  first.more.assign(std::make_move_iterator(outcomes.begin() + 1),
                    std::make_move_iterator(outcomes.end()));
  return first;
}

}  // namespace stages
