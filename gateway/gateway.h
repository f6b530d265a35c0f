// The gateway as a machine: what HTTP requests submit goes through one client of the brokers.
//
//     HTTP threads --submit, withdraw--> Gateway --on link i--> broker i
//                  <---- answered -----
//
// Each submission is answered exactly once, with an outcome for each of its images, unless it is
// withdrawn.  Of several brokers the client uses the next while one is silent, drains or refuses us
// (producer/client.h).  An outcome comes by the image's deadline at the latest, and sooner without
// a broker: once all have been tried and none has answered for Policy::broker_wait, everything open
// ends as `no_broker`, and so does everything new.  A shorter absence, such as a restart, is waited
// for.
//
// An image that the broker refuses is not sent again, since the HTTP client can be told when to
// come back; only a broker that is draining is waited for, because its successor may be near.
//
// A pure machine (machine/machine.h).  submit and withdraw are called between the driver's calls,
// in its thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gateway/outcome.h"
#include "gateway/policy.h"
#include "machine/machine.h"
#include "machine/telemetry.h"
#include "producer/client.h"

namespace gateway {

class Gateway : public machine::Machine {
 public:
  // The outcomes in the order of the images.  Called inside a call of this machine.
  using Answered = std::function<void(std::vector<Outcome>)>;
  using Ticket = std::uint64_t;

  // Requires a broker in the policy.
  Gateway(const Policy& policy, wire::ProducerId producer);

  // Submits the images.  `answered` may be called before this returns.  Requires an image.
  Ticket submit(std::vector<wire::Payload> images, const producer::SubmitOptions& options,
                Answered answered, wire::Instant now);
  // Cancels what is open of a submission; `answered` is not called any more.
  void withdraw(Ticket ticket, wire::Instant now);

  machine::Actions on_message(machine::Peer from, wire::Message message,
                              wire::Instant now) override;
  machine::Actions on_timeout(wire::Instant now) override;
  machine::Actions on_done(wire::WorkId work, machine::Outcome outcome, wire::Instant now) override;
  std::optional<wire::Instant> next_timeout() const override;
  machine::Telemetry telemetry() const override;

  // Adds what another part of the process counts to the telemetry.
  void add_metrics(std::function<void(machine::Telemetry&)> more) { more_ = std::move(more); }

  std::size_t open() const { return open_.size(); }  // Images whose outcome is awaited.
  // Which broker images go to, in words.
  std::string about() const { return "images go to " + policy_.brokers[client_.broker()]; }

 private:
  struct Submission {
    std::vector<Outcome> outcomes;
    std::size_t open = 0;  // Images without an outcome.
    Answered answered;
  };
  struct Place {
    Ticket ticket = 0;
    std::size_t index = 0;
  };

  machine::Actions after(machine::Actions actions, wire::Instant now);
  void watch_broker(wire::Instant now);
  bool without_broker(wire::Instant now) const;
  std::optional<Outcome::Kind> submit_image(wire::Payload image, Place place,
                                            const producer::SubmitOptions& options,
                                            wire::Instant now);
  void settle(Place place, Outcome outcome);
  void count(const Outcome& outcome);
  void report_images(machine::Telemetry& report) const;
  void report_brokers(machine::Telemetry& report) const;

  const Policy policy_;
  producer::Client client_;
  wire::RequestId last_;
  Ticket last_ticket_ = 0;
  std::map<Ticket, Submission> submissions_;
  std::map<wire::RequestId, Place> open_;
  // When a broker last answered, or the last of them was tried; nullopt while one answers or is
  // still to be tried, and before the first call.
  std::optional<wire::Instant> lost_since_;
  bool draining_ = false;

  std::map<int, std::uint64_t> outcomes_;  // Images by the status of their outcome.
  std::uint64_t withdrawn_ = 0;            // Images whose HTTP client has gone.
  std::function<void(machine::Telemetry&)> more_;
  machine::Histogram latency_;  // Of answered images, from submit to delivery.
};

}  // namespace gateway
