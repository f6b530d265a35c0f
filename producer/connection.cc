#include "producer/connection.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <utility>
#include <vector>

#include "runtime/loop/clock.h"
#include "runtime/loop/loop.h"
#include "runtime/loop/random_id.h"

namespace producer {

using machine::Actions;
using wire::Duration;
using wire::Instant;

// The client as a machine that reports `finished` at the end of a poll, and when something has been
// delivered.  So Loop::run() returns and poll() can call the callbacks.
class Connection::Session : public machine::Machine {
 public:
  explicit Session(Policy policy) : client(policy) {}

  Actions on_message(machine::Peer from, wire::Message message, Instant now) override {
    return pause(client.on_message(from, std::move(message), now), now);
  }
  Actions on_timeout(Instant now) override { return pause(client.on_timeout(now), now); }
  Actions on_done(wire::WorkId, machine::Outcome, Instant now) override { return on_timeout(now); }
  std::optional<Instant> next_timeout() const override {
    const auto next = client.next_timeout();
    // At once: the turn that follows ends the poll.
    if (interrupt) return Instant{};
    return next ? std::min(*next, until) : until;
  }

  // Whether more waiting for a Welcome is of no use.
  bool decided() const {
    return client.joined() || client.refusal() == wire::Reason::wrong_protocol;
  }

  Client client;
  Instant until;  // The end of the current poll.
  bool over = false;
  bool joining = false;  // The present poll ends with a Welcome too, or with its certain lack.
  std::atomic<bool> interrupt = false;
  std::vector<Delivered> delivered;
  std::vector<Correction> corrections;

 private:
  Actions pause(Actions actions, Instant now) {
    for (Delivered& one : client.take_results()) delivered.push_back(std::move(one));
    for (Correction& one : client.take_corrections()) corrections.push_back(std::move(one));
    over = over || !delivered.empty() || !corrections.empty() || now >= until || interrupt ||
           (joining && decided());
    actions.finished = over;
    return actions;
  }
};

namespace {

std::vector<runtime::Link> links_to(const std::vector<std::string>& endpoints,
                                    const std::shared_ptr<runtime::KeyStore>& keys,
                                    std::size_t open_max) {
  std::vector<runtime::Link> links;
  for (const std::string& endpoint : endpoints) {
    links.push_back({.endpoint = endpoint,
                     .send_hwm = runtime::send_hwm_for(open_max),
                     .keys = keys,
                     .name = runtime::LinkName::producers});
  }
  return links;
}

}  // namespace

struct Connection::Wiring {
  Wiring(const std::vector<std::string>& endpoints, Policy policy,
         const std::filesystem::path& folder, Warnings warnings)
      : keys(folder.empty()
                 ? nullptr
                 : std::make_shared<runtime::KeyStore>(folder, runtime::KeyOwner::producer)),
        session(policy),
        loop(context, links_to(endpoints, keys, policy.open_max), session, {},
             {.silent = warnings == Warnings::silent}) {}

  const std::shared_ptr<runtime::KeyStore> keys;

  runtime::Context context;
  Session session;
  runtime::Loop loop;
  std::map<wire::RequestId, Callback> callbacks;
  CorrectionCallback on_correction;
  wire::RequestId last;
  bool interrupted = false;  // The last poll was.
};

Connection::Connection(const std::string& endpoint, Policy policy,
                       const std::filesystem::path& keys, Warnings warnings)
    : Connection(std::vector{endpoint}, policy, keys, warnings) {}

Connection::Connection(const std::vector<std::string>& endpoints, Policy policy,
                       const std::filesystem::path& keys, Warnings warnings) {
  policy.brokers = static_cast<std::uint32_t>(endpoints.size());
  if (policy.producer == wire::ProducerId{}) {
    policy.producer = runtime::random_long_id<wire::ProducerId>();
  }
  wiring_ = std::make_unique<Wiring>(endpoints, policy, keys, warnings);
}

void Connection::refresh_keys() {
  if (wiring_->keys) wiring_->keys->refresh();
}

Connection::~Connection() = default;
Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&&) noexcept = default;

std::optional<wire::RequestId> Connection::submit(wire::Payload image, Callback callback,
                                                  const SubmitOptions& options) {
  const wire::RequestId id{.value = wiring_->last.value + 1};
  const auto submitted =
      wiring_->session.client.submit(id, std::move(image), options, runtime::now());
  if (submitted != Client::Submitted::queued) return std::nullopt;
  wiring_->last = id;
  wiring_->callbacks.emplace(id, std::move(callback));
  return id;
}

bool Connection::cancel(wire::RequestId id) {
  return wiring_->session.client.cancel(id, runtime::now());
}

void Connection::on_correction(CorrectionCallback callback) {
  wiring_->on_correction = std::move(callback);
}

std::size_t Connection::poll(Duration timeout) {
  Session& session = wiring_->session;
  session.until = runtime::now() + timeout;
  session.over = false;
  while (!session.over) wiring_->loop.run();
  wiring_->interrupted = session.interrupt.exchange(false);
  const std::vector<Delivered> delivered = std::exchange(session.delivered, {});
  for (const Delivered& one : delivered) {
    const auto found = wiring_->callbacks.find(one.result.request);
    const Callback callback = std::move(found->second);
    wiring_->callbacks.erase(found);
    if (callback) callback(one);
  }
  const std::vector<Correction> corrections = std::exchange(session.corrections, {});
  for (const Correction& one : corrections) {
    if (wiring_->on_correction) wiring_->on_correction(one);
  }
  return delivered.size() + corrections.size();
}

std::size_t Connection::close(Duration timeout) {
  const Instant until = runtime::now() + timeout;
  for (Instant now = runtime::now(); open() > 0 && now < until; now = runtime::now()) {
    poll(until - now);
    if (interrupted()) break;
  }
  return open();
}

bool Connection::join(Duration timeout) {
  Session& session = wiring_->session;
  const Instant until = runtime::now() + timeout;
  session.joining = true;
  for (Instant now = runtime::now(); !session.decided() && now < until; now = runtime::now()) {
    poll(until - now);
    if (interrupted()) break;
  }
  session.joining = false;
  return joined();
}

std::string Connection::why_not_joined() const {
  if (refusal() == wire::Reason::wrong_protocol) {
    return "the broker does not speak protocol " + std::to_string(wire::kProtocol);
  }
  if (refusal() != wire::Reason::none) return std::string(to_string(refusal()));
  return wiring_->loop.trouble();
}

void Connection::interrupt() noexcept {
  wiring_->session.interrupt = true;
  wiring_->loop.wake();
}

bool Connection::interrupted() const { return wiring_->interrupted; }

bool Connection::joined() const { return wiring_->session.client.joined(); }
std::size_t Connection::broker() const { return wiring_->session.client.broker(); }
wire::Reason Connection::refusal() const { return wiring_->session.client.refusal(); }
std::size_t Connection::open() const { return wiring_->session.client.open(); }
std::size_t Connection::correctable() const { return wiring_->session.client.correctable(); }
std::size_t Connection::window() const { return wiring_->session.client.window(); }
const Client::Counters& Connection::counters() const { return wiring_->session.client.counters(); }

}  // namespace producer
