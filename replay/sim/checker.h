// Judges a run from outside: by what producers asked and got, and by what was said on the links.
//
// It knows no machine's insides; what it expects follows from docs/ARCHITECTURE.md:
//   - every request of a living producer is delivered once, by its deadline and the client's grace;
//   - an answer spells the token of its own image, but for what a collage misreads, and an image
//   that
//     nothing can decode is rejected;
//   - results of a stream come in the order of submission, by the latest deadline so far;
//   - only what was cancelled by its producer is answered `cancelled`;
//   - a correction comes at most once a request, to a producer that asked, after the answer of a
//     collage that it got, within the window, and says another class;
//   - a collage answer is never settled before patience, for a blank slot, or by a wrong cell;
//   - a sink settles a slot once;
//   - no stage says that it holds more than twice its capacity;
//   - the gauges of broker and sink stay within their bounds, and requests are conserved: no more
//     are admitted than came, and no more results are sent than requests are settled;
//   - work is no more than images x copies + hedges + redispatches + probes;
//   - when all is calm every gauge is back at zero, a request that is then made is answered, and no
//     worker is taken for lost.
//
// Violations are texts, the first ones kept.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "producer/client.h"
#include "replay/sim/event_log.h"
#include "replay/sim/trial_options.h"

namespace replay::sim {

class Checker : public Observer {
 public:
  // All outlive the checker.
  Checker(const TrialOptions& options, const World& world, const Fleet& fleet, EventLog& log);

  struct Asked {
    std::uint64_t token = 0;
    bool usable = true;
    wire::Instant deadline;
    bool calm = false;  // Nothing is wrong: it has to be answered.
    std::optional<producer::StreamId> stream = std::nullopt;
  };
  void on_submit(NodeId producer, wire::RequestId request, const Asked& asked);
  void on_results(NodeId producer, const std::vector<producer::Delivered>& results,
                  wire::Instant now);
  void on_corrections(NodeId producer, const std::vector<producer::Correction>& corrections,
                      wire::Instant now);
  // A producer is about to cancel a request for this image; false if it is in another life by now.
  bool on_cancel(NodeId producer, wire::RequestId request, std::uint64_t token);

  void on_sent(NodeId from, NodeId to, const wire::Message& message, wire::Instant now) override;
  void on_delivered(NodeId from, NodeId to, const wire::Message& message,
                    wire::Instant now) override;
  void on_life(NodeId node, bool alive, wire::Instant now) override;

  // From here on nothing goes wrong.
  void on_calm() { calm_gauges_ = broker_gauges_; }
  // The end: nothing may be open.
  void finish(wire::Instant now);
  void violation(const std::string& what, wire::Instant now);

  struct Counts {
    std::uint64_t asked = 0, delivered = 0, lost_with_producer = 0;
    std::uint64_t single = 0, collage = 0, hedge = 0;
    std::uint64_t missing = 0, rejected = 0, refused = 0, cancelled = 0;
    std::uint64_t corrected = 0;
  };
  const Counts& counts() const { return counts_; }
  const std::vector<std::string>& violations() const { return violations_; }

 private:
  using Request = std::pair<NodeId, wire::RequestId>;
  using Place = std::pair<wire::BatchId, wire::Slot>;
  using Gauges = std::map<std::string, std::uint64_t>;
  struct Open : Asked {
    bool delivered = false;
    bool cancelled = false;
    std::optional<wire::ClassId> collage =
        std::nullopt;  // What a collage told its producer, until corrected.
  };

  void check_delivered(NodeId producer, const producer::Delivered& delivered, wire::Instant now);
  void check_order(NodeId producer, const Open& open, wire::RequestId request,
                   const std::string& name, wire::Instant now);
  void check_source(Open& open, const wire::Result& result, const std::string& name,
                    wire::Instant now);
  bool reads(const std::vector<wire::NamedPrediction>& predictions, wire::Source source,
             std::uint64_t token) const;
  void note_told(NodeId to, const wire::Result& result, wire::Instant now);
  void check_correction(NodeId to, const wire::Correction& correction, wire::Instant now);
  void check_corrected(const wire::Disagreement& corrected, wire::Instant now);
  void check_settled(const wire::SlotSettled& settled, wire::Instant now);
  void check_collage(const wire::SlotSettled& settled, wire::Instant now);
  void check_ready(NodeId from, const wire::Ready& ready, wire::Instant now);
  void check_assign(NodeId to, const wire::Assign& assign, wire::Instant now);
  void check_result(NodeId to, const wire::Result& result, wire::Instant now);
  void check_broker(const Gauges& gauges, wire::Instant now);
  void check_sink(const Gauges& gauges, wire::Instant now);
  void at_most(const Gauges& gauges, const std::string& name, std::uint64_t most,
               wire::Instant now);

  const TrialOptions& options_;
  const World& world_;
  const Fleet& fleet_;
  EventLog& log_;
  std::map<Request, Open> requests_;  // Of the producers' present lives.
  std::map<Place, std::uint64_t> tokens_;
  std::map<wire::BatchId, std::vector<wire::Instant>> admitted_;  // Of sealed batches.
  // By the sink's present life; the class if from a collage, until corrected.
  std::map<Place, std::optional<wire::ClassId>> settled_;
  struct Told {
    wire::ClassId label;
    wire::Instant at;
  };
  std::map<Request, Told> told_;  // Collage answers of the broker's present life, until corrected.
  std::map<std::pair<NodeId, producer::StreamId>, std::deque<wire::RequestId>> streams_;
  struct Said {  // To and by the broker's present life.
    std::uint64_t submits = 0;
    std::uint64_t results = 0;  // But for refusals.
    std::uint64_t assigns = 0;  // To classifiers.
  };
  Said said_;
  std::optional<Gauges> broker_gauges_, sink_gauges_, calm_gauges_;
  Counts counts_;
  std::vector<std::string> violations_;
};

}  // namespace replay::sim
