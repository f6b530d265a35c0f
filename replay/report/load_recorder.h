// Collects what became of the images of one run, for its figures by load, second and producer.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "replay/load/load_generator.h"
#include "replay/load/points.h"
#include "replay/load/work.h"
#include "replay/report/load_figures.h"

namespace replay::report {

// What is known of the models of a run.
struct ModelFigures {
  // Shares of right answers on test images, 0 to 1.
  std::optional<double> single_accuracy{}, collage_accuracy{};
};

class LoadRecorder {
 public:
  // Returns the name of the true class of an image.
  using Truth = std::function<const std::string&(std::size_t image)>;

  // `truth` is empty if the true classes are not known.
  LoadRecorder(const load::Point& point, std::size_t collages, Truth truth);

  // Sets the time from which seconds count.
  void begin(wire::Instant at) { begun_ = at; }
  void answered(const load::Answer& answer);

  LoadPoint figures(const load::WorkDone& work, const ModelFigures& models) const;
  // Empty unless the arrivals have steps.
  std::vector<SecondFigures> seconds() const;
  // Empty unless the scenario has producers.
  std::vector<ProducerFigures> producers() const;
  std::vector<ProducerFigures> groups() const;

 private:
  struct Tally {
    std::uint64_t offered = 0, answered = 0, refused = 0, missing = 0;
    std::vector<double> answered_s;  // Latencies of the answers.

    void add(const load::Answer& answer);
    void add(const Tally& other);
    double quantile(double p) const;
  };
  ProducerFigures row(const std::string& name, wire::Priority priority, const Tally& tally) const;
  double rate_at(double at_s) const;

  const std::string policy_;
  const bool alone_;
  const std::size_t collages_;
  const double per_second_;
  const load::Arrivals arrivals_;
  const wire::Duration cycle_;  // Zero unless the arrivals have steps.
  const std::vector<load::Sender> senders_;
  const Truth truth_;
  wire::Instant begun_;
  Tally all_;
  std::vector<Tally> by_second_, by_sender_;
  std::uint64_t collage_ = 0, right_ = 0;
};

}  // namespace replay::report
