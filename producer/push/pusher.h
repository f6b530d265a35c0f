// Pushes a stream of images through a Client and tells what became of each.
//
//   source --Item--> Pusher --submit--> Client <--> broker
//   report <--Line--        <--Delivered--
//
// At a rate the load is open loop: image n is due n / rate seconds after the first, sent or not,
// and its latency counts from then, so that a slow pipeline cannot hide its own delay.  Without
// a rate the next image goes as soon as there is credit for it.  Every image that the source
// gave is reported exactly once; if the client asks for corrections, some of them once more.
//
// A pure machine, like Client, but for the source it is handed: that may read files.  It finishes
// by itself: when the source has ended, all is reported and no correction can follow, when the
// broker is not reached in time, or `drain_max` after a Drain.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "producer/client.h"
#include "producer/push/push_item.h"

namespace producer {

class Pusher : public machine::Machine {
 public:
  struct Policy {
    double rate = 0;             // Images a second; 0 for as fast as credit allows.
    wire::Duration deadline{};   // Of each image; 0 for the client's.
    wire::Duration reach_max{};  // To be welcomed within; > 0.
    wire::Duration drain_max{};  // For what is open, after a Drain.
    bool in_order = false;       // Report images in the order in which the source gave them.
  };
  // The next image; one above `image_bytes_max` need not be read.
  using Source = std::function<Item(std::uint64_t image_bytes_max)>;
  using Report = std::function<void(const Line&)>;

  Pusher(Policy policy, producer::Policy client, Source source, Report report);

  machine::Actions on_message(machine::Peer from, wire::Message message,
                              wire::Instant now) override;
  machine::Actions on_timeout(wire::Instant now) override;
  machine::Actions on_done(wire::WorkId work, machine::Outcome outcome, wire::Instant now) override;
  std::optional<wire::Instant> next_timeout() const override;

  // Whether the broker has ever welcomed us, and if not, with which word it refused.
  bool reached() const { return reached_; }
  wire::Reason refusal() const { return client_.refusal(); }
  bool stopped() const { return drain_until_.has_value(); }  // By a Drain.
  const Tally& tally() const { return tally_; }
  const Client& client() const { return client_; }

 private:
  struct Pending {
    std::string file;
    wire::Instant due;
    wire::Instant submitted;
  };

  machine::Actions turn(machine::Actions actions, wire::Instant now);
  void feed(wire::Instant now);
  bool take(wire::Instant now);
  bool push_held(wire::Instant now);
  bool may_take(wire::Instant now) const;
  wire::Instant due() const;
  void report_results();
  void report_corrections();
  void report_line(Line line);
  void report_in_turn(Line line);
  void report_later();
  bool done(wire::Instant now);

  const Policy policy_;
  const std::size_t correction_max_;
  Client client_;
  const Source source_;
  const Report report_;
  Tally tally_;
  std::map<wire::RequestId, Pending> pending_;
  std::deque<std::pair<wire::RequestId, std::string>> collages_;  // Answered by one; the files.
  // In order: what has no result, and before which request it is to be told.
  std::deque<std::pair<wire::RequestId, Line>> later_;
  std::optional<Item> held_;  // Taken and due, but the client was full.
  wire::RequestId next_{.value = 1};
  std::uint64_t images_ = 0;              // That had a time to be due at.
  std::optional<wire::Instant> started_;  // The first turn.
  wire::Instant first_due_;               // Of the first image.
  std::optional<wire::Instant> again_;    // When to ask a source that had none, or go on.
  std::optional<wire::Instant> drain_until_;
  bool reached_ = false;
  bool ended_ = false;
};

}  // namespace producer
