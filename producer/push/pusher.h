// Submits the images of a source through a Client and reports the outcome of each.
//
//   source --Item--> Pusher --submit--> Client <--> broker
//   report <--Line--        <--Delivered--
//
// With a rate the load is open loop: image n is due n / rate seconds after the first, whether or
// not it can be sent, and its latency counts from then, so that a slow pipeline cannot hide its own
// delay.  Without a rate images are sent as fast as the pipeline answers them (pace.h), within its
// credit.  Every image of the source is reported exactly once; if the client asks for corrections,
// a correction is one more report.
//
// A pure machine like Client, except for the source, which may read files.  It finishes when the
// source has ended, all images are reported and no correction can follow; when the broker is not
// reached in time; or `drain_max` after a Drain.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "imaging/format.h"
#include "producer/client.h"
#include "producer/push/pace.h"
#include "producer/push/push_item.h"

namespace producer {

class Pusher : public machine::Machine {
 public:
  struct Policy {
    double rate = 0;  // Images per second; 0 for as fast as the pipeline answers.
    // The deadline of each image, from its submission or, at a rate, from when it is due; 0 for the
    // client's default.
    wire::Duration deadline{};
    wire::Duration reach_max{};  // The time to wait for the first Welcome; > 0.
    wire::Duration drain_max{};  // The time for open images after a Drain.
    bool in_order = false;       // Report images in the order of the source.
    wire::Priority priority = wire::Priority::normal;  // The priority of each image.
    bool latest = false;  // Each image supersedes the earlier ones that still wait.
  };
  // Returns the next item.  An image above `image_bytes_max` need not be read.
  using Source = std::function<Item(std::uint64_t image_bytes_max)>;
  using Report = std::function<void(const Line&)>;

  Pusher(Policy policy, producer::Policy client, Source source, Report report);

  machine::Actions on_message(machine::Peer from, wire::Message message,
                              wire::Instant now) override;
  machine::Actions on_timeout(wire::Instant now) override;
  machine::Actions on_done(wire::WorkId work, machine::Outcome outcome, wire::Instant now) override;
  std::optional<wire::Instant> next_timeout() const override;

  // True after the first Welcome.
  bool reached() const { return reached_; }
  // The reason of the broker's last Refuse; none if there was none.
  wire::Reason refusal() const { return client_.refusal(); }
  // True after a Drain.
  bool stopped() const { return drain_until_.has_value(); }
  const Tally& tally() const { return tally_; }
  const Client& client() const { return client_; }

 private:
  struct Pending {
    std::string file;
    wire::Instant due;
    wire::Instant submitted;
    imaging::Format format;
  };

  machine::Actions turn(machine::Actions actions, wire::Instant now);
  void reach(wire::Instant now, machine::Actions& actions);
  void interrupt(wire::Instant now);
  wire::Instant due() const;
  // Images that may be submitted now, without a rate.
  std::size_t room() const;
  bool may_submit(wire::Instant now) const;
  bool submit_ready(wire::Instant now);
  bool submit_next(wire::Instant now);
  bool may_read() const;
  void read(wire::Instant now);
  void take(Item item);
  void follow(const wire::Result& result, std::size_t open);
  void report_results();
  void report_corrections();
  void report_line(Line line);
  void report_in_turn(Line line, wire::RequestId before);
  void report_later();
  bool done(wire::Instant now);

  const Policy policy_;
  const std::size_t correction_max_;
  Client client_;
  const Source source_;
  const Report report_;
  Tally tally_;
  Pace pace_;
  std::uint64_t refused_ = 0;  // refused_for_now of the client, when the pace last looked.
  std::map<wire::RequestId, Pending> pending_;
  // Requests that a collage answered, with their files; for corrections.
  std::deque<std::pair<wire::RequestId, std::string>> collages_;
  // Lines of images that were not submitted, each with the request before which it is reported.
  std::deque<std::pair<wire::RequestId, Line>> later_;
  std::deque<Item> ready_;       // Images that have been read and not submitted.
  std::size_t ready_bytes_ = 0;  // Bytes of `ready_`.
  bool full_ = false;            // The client has not taken the first of `ready_`.
  // Files are never read and images never submitted at the same instant.  Reading takes time that
  // `now` does not show: the deadlines of images submitted then would begin too early.
  std::optional<wire::Instant> read_at_, submitted_at_;
  wire::RequestId next_{.value = 1};
  std::uint64_t images_ = 0;  // Images submitted; at a rate they give the next due time.
  std::optional<wire::Instant> started_;  // The time of the first iteration.
  wire::Instant first_due_;               // The due time of the first image.
  std::optional<wire::Instant> again_;    // The source is not asked before.
  std::optional<wire::Instant> drain_until_;
  bool reached_ = false;
  bool ended_ = false;
};

}  // namespace producer
