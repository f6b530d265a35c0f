// The sink: joins the answers of all stages by batch, and sends the broker its choice.
//
//   link kBroker (DEALER)  to the broker      WorkerHello, Ready, SlotSettled, Disagreement,
//                                             ServiceTimes
//                          from the broker    Welcome, Refuse, BatchOpened, BatchSealed,
//                                             BatchSettled, WorkerStates, Status
//   link kStages (ROUTER)  from s-CNN stages  Answer
//                          from assemblers    Answer (rejected images only), CollagePicture
//                          from collage-CNNs  CollageAnswer
//                          from observers     StatusRequest
//                          to observers       Status
//
// It owns the choice between single and collage (Joiner) and the patience behind it (Patience).
// Once a second it learns patience again and sends it to the broker.  A pure state
// machine (machine/machine.h).
#pragma once

#include <cstdint>
#include <optional>

#include "machine/machine.h"
#include "stages/membership.h"
#include "stages/sink/broker_view.h"
#include "stages/sink/dashboard_state.h"
#include "stages/sink/headline.h"
#include "stages/sink/joiner.h"
#include "stages/sink/patience.h"

namespace stages::sink {

inline constexpr std::uint32_t kBroker = kCoordinator.link;
inline constexpr std::uint32_t kStages = 1;

class Sink : public machine::Machine {
 public:
  struct Policy {
    Joiner::Policy joiner;
    Patience::Policy patience;
    bool collage_first = false;     // Patience 0: the first answer of either kind settles.
    bool show_pictures = false;     // Keeps the newest collage for the page.
    std::size_t worker_max = 2048;  // Workers of which the broker tells; follows from the broker's.
    Membership::Policy membership;
    wire::SinkIndex index = 0;  // Which of the pipeline's sinks it is.
  };
  Sink(wire::WorkerId id, Policy policy);

  machine::Actions on_message(machine::Peer from, wire::Message message,
                              wire::Instant now) override;
  machine::Actions on_timeout(wire::Instant now) override;
  machine::Actions on_done(wire::WorkId work, machine::Outcome outcome, wire::Instant now) override;
  std::optional<wire::Instant> next_timeout() const override;

  struct Counters {
    std::uint64_t answers = 0;             // Answers from s-CNNs and assemblers.
    std::uint64_t collage_inferences = 0;  // Collage answers, needed or not.
    std::uint64_t chosen_again = 0;        // Choices sent again for batches that opened again.
    std::uint64_t undelivered = 0;         // Messages that could not be sent.
    std::uint64_t bad_messages = 0;
  };
  const Counters& counters() const { return counters_; }
  const Joiner& joiner() const { return joiner_; }
  const DashboardState& dashboard() const { return dashboard_; }
  // What the page shows of the broker and its workers, and what all of it comes to.
  const BrokerView& broker() const { return broker_; }
  Headline headline(wire::Instant now) const;
  // The newest collage of a full batch; nullopt before the first, and without show_pictures.
  const std::optional<wire::CollagePicture>& picture() const { return picture_; }
  bool shows_pictures() const { return policy_.show_pictures; }
  wire::Status status() const;
  machine::Telemetry telemetry() const override;

 private:
  struct Figures;  // The table behind status() and telemetry().

  void on_broker(wire::Message message, wire::Instant now);
  void on_stage(machine::Peer from, wire::Message message, wire::Instant now);
  void on_status(const wire::Status& status, wire::Instant now);
  void on_picture(wire::CollagePicture picture);
  void send_settled(Joiner::Settled settled, wire::Instant now);
  wire::Duration patience() const;
  void report_agreement(machine::Telemetry& report) const;

  const Policy policy_;
  Membership membership_;
  Joiner joiner_;
  Patience patience_;
  DashboardState dashboard_;
  BrokerView broker_;
  std::optional<wire::CollagePicture> picture_;
  wire::Duration heartbeat_{};  // The broker's, from its Welcome.
  wire::Instant learn_at_;
  bool corrects_ = false;  // Whether the broker sends corrections to producers.
  Counters counters_;
  machine::Histogram single_, hedge_, collage_;  // Ages of answers when they were sent.
  machine::Actions actions_;                     // What the turn under way has asked for so far.
};

}  // namespace stages::sink
