// Knows what each producer has asked, and judges every result by it.
//
// What it expects follows from docs/ARCHITECTURE.md:
//   - every request of a living producer has one result, by its deadline and the client's grace;
//   - an answer spells the token of its own image, except for what a collage misreads, and an image
//     that nothing can decode is rejected;
//   - results of a stream come in the order of submission, by the latest deadline so far;
//   - only a request that its producer has cancelled has the result `cancelled`;
//   - only a request with a newer one in its `latest` stream has the result `superseded`;
//   - a correction comes at most once a request, to a producer that asked for corrections, after
//     the answer of a collage, within the window, and names another class;
//   - a request made when all is calm is answered.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "producer/client.h"
#include "replay/sim/trial_options.h"
#include "replay/sim/violations.h"

namespace replay::sim {

class RequestOracle {
 public:
  struct Asked {
    std::uint64_t token = 0;  // Token of the image.
    bool usable = true;       // Whether the image can be decoded.
    wire::Instant deadline;
    bool calm = false;  // Nothing is wrong any more, so the request has to be answered.
    std::optional<producer::StreamId> stream = std::nullopt;
    std::uint64_t latest = 0;  // The stream in which newer frames supersede; 0: none.
  };
  struct Counts {
    std::uint64_t asked = 0, delivered = 0, lost_with_producer = 0;
    std::uint64_t single = 0, collage = 0, hedge = 0;
    std::uint64_t missing = 0, rejected = 0, refused = 0, cancelled = 0, superseded = 0;
    std::uint64_t corrected = 0, brownout = 0;
  };

  // Borrows all.
  RequestOracle(const TrialOptions& options, const World& world, Violations& violations);

  // --- at the producer ---
  void on_submit(NodeId producer, wire::RequestId request, const Asked& asked);
  // A producer is about to cancel its request for this image.  Returns false if the producer has
  // crashed since, so that the request is not its own any more.
  bool on_cancel(NodeId producer, wire::RequestId request, std::uint64_t token);
  // The client library hands a result, or a correction, to the producer.
  void on_result(NodeId producer, const producer::Delivered& delivered, wire::Instant now);
  void on_correction(NodeId producer, const producer::Correction& correction, wire::Instant now);

  // --- on the link between broker and producer ---
  void on_result_sent(NodeId to, const wire::Result& result, wire::Instant now);
  void on_result_arrived(NodeId to, const wire::Result& result, wire::Instant now);
  // `asked`: whether the producer has asked for corrections.
  void on_correction_sent(NodeId to, const wire::Correction& correction, bool asked,
                          wire::Instant now);
  void on_correction_arrived(NodeId to, const wire::Correction& correction, wire::Instant now);

  // A producer has crashed: its requests end with it.
  void on_producer_crashed(NodeId producer);
  // The broker has started or crashed: it remembers no answers that it could correct.
  void on_broker_life();
  // The end of the run: no request may be without a result.
  void finish(wire::Instant now);

  const Counts& counts() const { return counts_; }

 private:
  struct CollageAnswer {
    wire::ClassId label;
    wire::Instant at;
  };
  struct Request : Asked {
    bool delivered = false;
    bool cancelled = false;
    bool older = false;  // A newer request of its `latest` stream has been made.
    // The class that a collage gave the producer; reset by a correction.
    std::optional<wire::ClassId> collage = std::nullopt;
    // The latest collage answer that the present broker has sent; reset by a correction.
    std::optional<CollageAnswer> sent = std::nullopt;
  };
  using Key = std::pair<NodeId, wire::RequestId>;

  std::string name(NodeId producer, wire::RequestId request) const;
  void check_order(NodeId producer, const Request& request, wire::RequestId id,
                   const std::string& name, wire::Instant now);
  void check_unanswered(const Request& request, wire::ResultStatus status, const std::string& name,
                        wire::Instant now);
  void check_source(Request& request, const wire::Result& result, const std::string& name,
                    wire::Instant now);
  bool reads(const wire::Result& result, std::uint64_t token) const;
  bool spells(const wire::Correction& correction, std::uint64_t token) const;

  const TrialOptions& options_;
  const World& world_;
  Violations& violations_;
  std::map<Key, Request> requests_;  // Requests of the producers' present lives.
  // Requests without a result in the order of submission, by stream.
  std::map<std::pair<NodeId, producer::StreamId>, std::deque<wire::RequestId>> streams_;
  // The newest request of each `latest` stream.
  std::map<std::pair<NodeId, std::uint64_t>, wire::RequestId> newest_;
  Counts counts_;
};

}  // namespace replay::sim
