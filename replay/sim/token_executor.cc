#include "replay/sim/token_executor.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "wire/check.h"

namespace replay::sim {
namespace {

constexpr std::size_t kTokenBytes = sizeof(std::uint64_t);
constexpr std::size_t kImageBytes = kTokenBytes + 1;

std::uint64_t read_token(const std::uint8_t* bytes) {
  std::uint64_t token = 0;
  for (std::size_t i = kTokenBytes; i > 0; --i) token = token << 8 | bytes[i - 1];
  return token;
}

void write_token(std::uint8_t* bytes, std::uint64_t token) {
  for (std::size_t i = 0; i < kTokenBytes; ++i, token >>= 8) {
    bytes[i] = static_cast<std::uint8_t>(token);
  }
}

std::uint64_t digit(std::uint64_t token, std::size_t place) { return token >> (8 * place) & 0xff; }

wire::Predictions spell(std::uint64_t token, std::size_t digits, float probability) {
  wire::Predictions predictions;
  predictions.reserve(digits);
  for (std::size_t place = 0; place < digits; ++place) {
    predictions.push_back({{digit(token, place)}, probability});
  }
  return predictions;
}

}  // namespace

std::vector<std::string> token_labels() {
  std::vector<std::string> labels;
  for (std::size_t i = 0; i < kLabels; ++i) labels.push_back(std::to_string(i));
  return labels;
}

wire::Payload make_image(std::uint64_t token, bool usable) {
  COLLAGE_CHECK(token != 0);
  wire::Payload::Bytes bytes(kImageBytes);
  write_token(bytes.data(), token);
  bytes[kTokenBytes] = usable ? 1 : 0;
  return wire::Payload(std::move(bytes));
}

std::uint64_t token_of(const wire::Payload& image) { return read_token(image.bytes().data()); }

bool spells(const std::vector<wire::NamedPrediction>& predictions, std::uint64_t token,
            std::size_t digits) {
  if (predictions.size() != digits) return false;
  for (std::size_t place = 0; place < digits; ++place) {
    if (predictions[place].prediction.label.value != digit(token, place)) return false;
  }
  return true;
}

bool misspells(const std::vector<wire::NamedPrediction>& predictions, std::uint64_t token,
               std::size_t digits) {
  return spells({predictions.rbegin(), predictions.rend()}, token, digits);
}

bool may_answer(const TokenExecutor::Policy& policy,
                const std::vector<wire::NamedPrediction>& predictions, wire::Source source,
                std::uint64_t token) {
  if (spells(predictions, token, policy.digits)) return true;
  const bool may_misread = source == wire::Source::collage && policy.misread > 0;
  return may_misread && misspells(predictions, token, policy.digits);
}

wire::Duration TokenExecutor::draw(const ServiceTime& time) {
  if (time.spread == wire::Duration::zero()) return time.least;
  const double share = -std::log(1 - rng_.uniform());
  return time.least + wire::from_seconds(wire::to_seconds(time.spread) * share);
}

Executor::Done TokenExecutor::run(machine::Work work) {
  const ServiceTime& time = std::holds_alternative<machine::Classify>(work.job) ? policy_.single
                            : std::holds_alternative<machine::Paste>(work.job)  ? policy_.paste
                                                                                : policy_.collage;
  Done done;
  done.takes = draw(time);
  done.outcome = std::visit([this](auto& job) { return outcome(std::move(job)); }, work.job);
  const auto images = static_cast<wire::Duration::rep>(done.outcome.more.size() + 1);
  done.takes = done.takes * (images + 1) / 2;
  done.outcome.compute = done.takes / images;
  for (machine::Outcome& each : done.outcome.more) each.compute = done.outcome.compute;
  return done;
}

wire::Verdict TokenExecutor::verdict(const wire::Payload& image) const {
  const auto bytes = image.bytes();
  COLLAGE_CHECK(bytes.size() == kImageBytes);
  wire::Verdict verdict;
  if (bytes[kTokenBytes] == 0) {
    verdict.reason = wire::Reason::not_an_image;
  } else {
    verdict.predictions = spell(read_token(bytes.data()), policy_.digits, 1);
  }
  return verdict;
}

machine::Outcome TokenExecutor::outcome(const machine::Classify& job) const {
  machine::Outcome all{verdict(job.image), {}, {}};
  for (const wire::Payload& image : job.more) all.more.push_back({verdict(image), {}, {}});
  return all;
}

machine::Outcome TokenExecutor::outcome(machine::Paste job) {
  const auto image = job.image.bytes();
  COLLAGE_CHECK(image.size() == kImageBytes);
  if (job.slot >= policy_.slots) {
    bad_pictures_ += 1;
    return {machine::Pasted{std::move(job.canvas), wire::Reason::none}, {}, {}};
  }
  if (image[kTokenBytes] == 0) {
    return {machine::Pasted{std::move(job.canvas), wire::Reason::not_an_image}, {}, {}};
  }
  wire::Payload::Bytes canvas = std::move(job.canvas).release();
  canvas.resize(policy_.slots * kTokenBytes);
  std::uint8_t* place = canvas.data() + job.slot * kTokenBytes;
  if (read_token(place) != 0) bad_pictures_ += 1;
  std::memcpy(place, image.data(), kTokenBytes);
  return {machine::Pasted{wire::Payload(std::move(canvas)), wire::Reason::none}, {}, {}};
}

machine::Outcome TokenExecutor::outcome(machine::ClassifyCollage job) {
  machine::Cells cells;
  const auto picture = job.picture.bytes();
  if (picture.size() != policy_.slots * kTokenBytes || job.blank.size() != policy_.slots) {
    bad_pictures_ += 1;
    return {std::move(cells), {}, {}};
  }
  if (rng_.chance(policy_.collage_fails)) return {std::move(cells), {}, {}};
  cells.cells.resize(policy_.slots);
  for (std::size_t slot = 0; slot < policy_.slots; ++slot) {
    const std::uint64_t token = read_token(picture.data() + slot * kTokenBytes);
    if (job.blank[slot] != (token == 0)) bad_pictures_ += 1;
    if (job.blank[slot]) continue;
    const float spread = (1 - policy_.collage_least) * static_cast<float>(rng_.uniform());
    cells.cells[slot] = spell(token, policy_.digits, policy_.collage_least + spread);
    if (misreads_.chance(policy_.misread)) std::ranges::reverse(cells.cells[slot]);
  }
  return {std::move(cells), {}, {}};
}

}  // namespace replay::sim
