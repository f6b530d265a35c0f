#include "models/serving/network.h"

#include <algorithm>
#include <exception>
#include <iterator>
#include <limits>
#include <new>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "machine/random.h"
#include "models/serving/backend.h"
#include "models/serving/heads/calibration.h"
#include "models/serving/heads/decode.h"
#include "models/serving/heads/detect.h"
#include "models/serving/planes.h"
#include "models/serving/processor_time.h"
#include "wire/check.h"

namespace models {
namespace {

// Grey, and noise of two seeds: kernels that are wrong for some channels show it with any picture.
Probes probes_of(const Manifest& manifest, const ValueTables& tables) {
  std::vector<std::uint8_t> pixels(manifest.input().bytes(), 128);
  Probes probes = {planes_of(pixels, manifest.input(), tables)};
  for (const std::uint64_t seed : {1, 2}) {
    machine::Rng rng(seed);
    for (std::uint8_t& pixel : pixels) pixel = static_cast<std::uint8_t>(rng.below(256));
    probes.push_back(planes_of(pixels, manifest.input(), tables));
  }
  return probes;
}

// A name that several classes have; empty if each has its own.
std::string shared_name(std::vector<std::string> names) {
  std::ranges::sort(names);
  const auto shared = std::ranges::adjacent_find(names);
  return shared == names.end() ? "" : *shared;
}

}  // namespace

struct Network::Loaded {
  Loaded(const Manifest& manifest, const ServingPolicy& policy)
      : tables(tables_of(manifest.normalisation)),
        backend(load_backend(manifest, probes_of(manifest, tables), policy)),
        warnings(backend->warnings()) {
    require_count(manifest, *backend);
    if (const std::string name = shared_name(manifest.class_names); !name.empty()) {
      warnings.push_back("has several classes named '" + name +
                         "', which its answers do not tell apart");
    }
  }

  ValueTables tables;  // Of the manifest's normalisation.
  std::unique_ptr<Backend> backend;
  std::vector<std::string> warnings;
  wire::Duration inference_time{};
};

Network::Network(Manifest manifest, const ServingPolicy& policy)
    : manifest_(std::move(manifest)), loaded_(std::make_unique<Loaded>(manifest_, policy)) {
  loaded_->inference_time = time_inference();
  // A stage sends it with each answer.
  if (version().size() > wire::kVersionMax) {
    throw std::runtime_error(manifest_.weights.string() + ": its version with " +
                             std::string(kBfloat16Suffix) + " is longer than " +
                             std::to_string(wire::kVersionMax) + " bytes");
  }
}

wire::Duration Network::time_inference() const {
  const std::vector<float> zeros(manifest_.input().bytes());
  double shortest = std::numeric_limits<double>::infinity();
  for (int i = 0; i < 3; ++i) {
    const double begin = seconds_used();
    (void)raw_output(zeros);
    shortest = std::min(shortest, seconds_used() - begin);
  }
  return wire::from_seconds(shortest);
}

Network::~Network() = default;

std::string Network::version() const {
  return manifest_.version + std::string(form() == "bfloat16" ? kBfloat16Suffix : "");
}
std::string Network::form() const { return loaded_->backend->form(); }
std::string Network::how_served() const { return loaded_->backend->how_served(); }
const std::vector<std::string>& Network::warnings() const { return loaded_->warnings; }
wire::Duration Network::inference_time() const { return loaded_->inference_time; }

std::size_t Network::together() const { return loaded_->backend->together(); }

Network::Network(Network&&) noexcept = default;
Network& Network::operator=(Network&&) noexcept = default;

std::vector<float> Network::logits(std::span<const std::uint8_t> pixels) const {
  std::vector<float> raw = raw_output(planes_of(pixels, manifest_.input(), loaded_->tables));
  if (raw.empty() || manifest_.head != Head::detect) return raw;
  return slot_logits(raw, manifest_.detect, manifest_.layout());
}

std::vector<float> Network::raw_output(std::span<const float> planes) const {
  try {
    return loaded_->backend->run(planes);
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    // By its text alone is a lack of memory known from what else a network may throw.
    if (std::string_view(error.what()).find("allocate memory") != std::string_view::npos) {
      throw std::bad_alloc();
    }
    return {};  // As a network of a user's own may do on some input; the caller answers for it.
  }
}

wire::Verdict Network::classify(const imaging::Picture& picture, std::size_t top_k) const {
  return classify(std::span(&picture, 1), top_k).front();
}

std::vector<wire::Verdict> Network::classify(std::span<const imaging::Picture> pictures,
                                             std::size_t top_k) const {
  COLLAGE_CHECK(manifest_.kind == Kind::single);
  std::vector<wire::Verdict> verdicts;
  while (verdicts.size() < pictures.size()) {
    const std::size_t count = std::min(together(), pictures.size() - verdicts.size());
    const auto next = pictures.subspan(verdicts.size(), count);
    std::vector<wire::Verdict> some = classify_together(next, top_k);
    for (std::size_t i = 0; some.size() < count; ++i) {
      std::vector<wire::Verdict> one;
      if (count > 1) one = classify_together(next.subspan(i, 1), top_k);
      some.push_back(one.empty() ? wire::Verdict{{}, wire::Reason::bad_scores}
                                 : std::move(one.front()));
    }
    std::ranges::move(some, std::back_inserter(verdicts));
  }
  return verdicts;
}

std::vector<wire::Verdict> Network::classify_together(std::span<const imaging::Picture> pictures,
                                                      std::size_t top_k) const {
  std::vector<float> planes;
  for (const imaging::Picture& picture : pictures) {
    const std::vector<float> one = planes_of(picture.pixels, manifest_.input(), loaded_->tables);
    planes.insert(planes.end(), one.begin(), one.end());
  }
  const std::size_t classes = manifest_.class_names.size();
  const std::vector<float> rows = raw_output(planes);
  if (rows.size() != pictures.size() * classes) return {};
  const std::vector<float> probabilities = softmax_rows(rows, classes, manifest_.calibration);
  std::vector<wire::Verdict> verdicts;
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    wire::Predictions best = top_of(std::span(probabilities).subspan(i * classes, classes), top_k);
    const wire::Reason reason = best.empty() ? wire::Reason::bad_scores : wire::Reason::none;
    verdicts.push_back({std::move(best), reason});
  }
  return verdicts;
}

machine::Cells Network::classify_collage(std::span<const std::uint8_t> canvas,
                                         const std::vector<bool>& blank, std::size_t top_k) const {
  COLLAGE_CHECK(manifest_.kind == Kind::collage);
  COLLAGE_CHECK(blank.size() == static_cast<std::size_t>(manifest_.slots()));
  const std::vector<float> all = logits(canvas);
  if (all.empty()) return {};
  const std::size_t classes = manifest_.class_names.size();
  return {decode_grid(softmax_rows(all, classes, manifest_.calibration), blank, top_k)};
}

}  // namespace models
