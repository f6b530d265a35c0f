// The sink: joins the answers of all stages by batch, and tells the broker its choice.
//
//   link kBroker (DEALER)  WorkerHello, Ready, Settled, Corrected, Service -> broker
//                          Welcome, Refuse, Opened, Sealed, Closed <- broker
//   link kStages (ROUTER)  Answer <- s-CNN stages and assemblers;  CollageAnswer <- collage-CNNs
//                          Probe <- observers;  Status -> observers
//
// It owns the choice between single and collage (Joiner) and the patience it takes (Patience);
// once a second it learns anew and tells the broker.  A pure state machine; see wire/machine.h.
#pragma once

#include <cstdint>
#include <optional>

#include "machine/machine.h"
#include "stages/membership.h"
#include "stages/sink/joiner.h"
#include "stages/sink/patience.h"
#include "stages/sink/view.h"

namespace stages::sink {

inline constexpr std::uint32_t kBroker = 0;
inline constexpr std::uint32_t kStages = 1;

class Sink : public machine::Machine {
 public:
  struct Policy {
    Joiner::Policy joiner;
    Patience::Policy patience;
    bool collage_first = false;  // Patience 0: the first answer of either kind settles.
    Membership::Policy membership;
  };
  Sink(wire::WorkerId id, Policy policy);

  machine::Actions on_message(machine::Peer from, wire::Message message,
                              wire::Instant now) override;
  machine::Actions on_timeout(wire::Instant now) override;
  machine::Actions on_done(wire::WorkId work, machine::Outcome outcome, wire::Instant now) override;
  std::optional<wire::Instant> next_timeout() const override;

  struct Counters {
    std::uint64_t answers = 0;             // From s-CNNs.
    std::uint64_t collage_inferences = 0;  // Collage answers, needed or not.
    std::uint64_t undelivered = 0;
    std::uint64_t bad_messages = 0;
  };
  const Counters& counters() const { return counters_; }
  const Joiner& joiner() const { return joiner_; }
  const View& view() const { return view_; }
  wire::Status status() const;
  machine::Telemetry telemetry() const override;

 private:
  void on_broker(wire::Message message, wire::Instant now);
  void on_stage(machine::Peer from, wire::Message message, wire::Instant now);
  void tell(Joiner::Settled settled, wire::Instant now);
  wire::Duration patience() const;

  const Policy policy_;
  Membership membership_;
  Joiner joiner_;
  Patience patience_;
  View view_;
  wire::Instant learn_at_;
  bool corrects_ = false;  // Whether the broker has any use for corrections.
  Counters counters_;
  machine::Histogram single_, hedge_, collage_;  // Ages of answers when they were sent.
  machine::Actions actions_;                     // Of the turn under way.
};

}  // namespace stages::sink
