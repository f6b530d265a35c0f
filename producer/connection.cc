#include "producer/connection.h"

#include <algorithm>
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

// The client, but finished whenever its caller wants to hear of it: at the end of a poll or when
// something has been delivered.
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
    return next ? std::min(*next, until) : until;
  }

  Client client;
  Instant until;  // The end of the present poll.
  bool over = false;
  std::vector<Delivered> delivered;
  std::vector<Correction> corrections;

 private:
  Actions pause(Actions actions, Instant now) {
    for (Delivered& one : client.take_results()) delivered.push_back(std::move(one));
    for (Correction& one : client.take_corrections()) corrections.push_back(std::move(one));
    over = over || !delivered.empty() || !corrections.empty() || now >= until;
    actions.finished = over;
    return actions;
  }
};

struct Connection::Wiring {
  Wiring(const std::string& endpoint, Policy policy, const std::filesystem::path& folder)
      : keys(folder.empty()
                 ? nullptr
                 : std::make_shared<runtime::KeyStore>(folder, runtime::KeyOwner::producer)),
        session(policy),
        loop(context, {{.endpoint = endpoint, .keys = keys, .name = runtime::LinkName::producers}},
             session, {}, {}) {}

  const std::shared_ptr<runtime::KeyStore> keys;

  runtime::Context context;
  Session session;
  runtime::Loop loop;
  std::map<wire::RequestId, Callback> callbacks;
  CorrectionCallback on_correction;
  wire::RequestId last;
};

Connection::Connection(const std::string& endpoint, Policy policy,
                       const std::filesystem::path& keys) {
  if (policy.producer == wire::ProducerId{}) {
    policy.producer = runtime::random_long_id<wire::ProducerId>();
  }
  wiring_ = std::make_unique<Wiring>(endpoint, policy, keys);
}

void Connection::refresh_keys() {
  if (wiring_->keys) wiring_->keys->refresh();
}

Connection::~Connection() = default;
Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&&) noexcept = default;

std::optional<wire::RequestId> Connection::submit(wire::Payload image, Callback callback,
                                                  Duration deadline,
                                                  std::optional<StreamId> stream) {
  const wire::RequestId id{.value = wiring_->last.value + 1};
  const auto submitted =
      wiring_->session.client.submit(id, std::move(image), deadline, runtime::now(), stream);
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
  }
  return open();
}

bool Connection::joined() const { return wiring_->session.client.joined(); }
std::size_t Connection::open() const { return wiring_->session.client.open(); }
std::size_t Connection::correctable() const { return wiring_->session.client.correctable(); }
std::size_t Connection::window() const { return wiring_->session.client.window(); }
const Client::Counters& Connection::counters() const { return wiring_->session.client.counters(); }

}  // namespace producer
