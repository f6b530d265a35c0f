// collage::Client over producer::Connection.  Connection stays internal: its header drags the
// client's machine and the wire's messages along, which change from release to release.
#include <collage/client.h>
#include <algorithm>
#include <new>
#include <system_error>
#include <utility>

#include "producer/choice.h"
#include "producer/connection.h"
#include "producer/library/values.h"
#include "runtime/loop/endpoint.h"

namespace collage {
namespace {

using Code = Error::Code;

constexpr Duration kTimeoutMax = std::chrono::hours(24);

[[noreturn]] void fail(Code code, const std::string& what) { throw Error(code, what); }

void require(bool condition, const std::string& what) {
  if (!condition) fail(Code::invalid_argument, what);
}

bool within(Duration value, Duration low) { return value >= low && value <= kTimeoutMax; }

Options checked(Options options) {
  require(!options.endpoints.empty(), "endpoints: at least one is needed");
  for (const std::string& endpoint : options.endpoints) {
    const std::string wrong = runtime::fault_of_client_endpoint(endpoint);
    require(wrong.empty(), "endpoints: " + wrong);
  }
  require(options.endpoints.size() == 1 || !options.affinity.empty(),
          "affinity: needed to choose one of several endpoints");
  require(within(options.connect_timeout, Duration(0)), "connect_timeout: not from 0 to 24 h");
  require(within(options.deadline, Duration(1)), "deadline: not above 0 and at most 24 h");
  require(within(options.failover_after, Duration(1)),
          "failover_after: not above 0 and at most 24 h");
  require(options.open_max > 0, "open_max: must be above 0");
  require(options.open_bytes_max > 0, "open_bytes_max: must be above 0");
  return options;
}

producer::Policy policy_of(const Options& options) {
  producer::Policy policy;
  policy.deadline = options.deadline;
  policy.open_max = options.open_max;
  policy.open_bytes_max = options.open_bytes_max;
  policy.corrections = options.corrections;
  policy.failover_after = options.failover_after;
  return policy;
}

producer::Connection open_connection(const Options& options,
                                     const std::vector<std::string>& endpoints) try {
  return producer::Connection(endpoints, policy_of(options), options.keys,
                              producer::Connection::Warnings::silent);
} catch (const std::bad_alloc&) {
  throw;
} catch (const std::system_error& error) {
  fail(Code::system, error.what());
} catch (const std::runtime_error& error) {
  // The line begins with what is wrong: an endpoint, or a file of keys.
  const bool of_endpoint = std::ranges::any_of(endpoints, [&error](const std::string& endpoint) {
    return std::string_view(error.what()).starts_with(endpoint + ":");
  });
  fail(of_endpoint ? Code::invalid_argument : Code::keys, error.what());
} catch (const std::exception& error) {
  fail(Code::system, error.what());
}

// "5 s", "0.25 s".
std::string seconds(Duration duration) {
  std::string text = std::to_string(std::chrono::duration<double>(duration).count());
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text + " s";
}

// Shares the vector with ZeroMQ until the image has left.
wire::Payload payload_of(std::vector<std::byte> image) {
  const auto held = std::make_shared<const std::vector<std::byte>>(std::move(image));
  const auto* data = reinterpret_cast<const std::uint8_t*>(held->data());
  return wire::Payload(held, std::span(data, held->size()));
}

}  // namespace

// Hidden, for collage.map would show it as a part of Client.
class [[gnu::visibility("hidden")]] Client::Impl {
 public:
  explicit Impl(Options checked_options)
      : options(std::move(checked_options)),
        endpoints(producer::rank_brokers(options.affinity, options.endpoints)),
        connection(open_connection(options, endpoints)) {
    connection.on_correction([this](const producer::Correction& one) {
      // A bound for those who asked for corrections and never take them.
      if (corrections.size() < options.open_max) corrections.push_back(value_of(one));
    });
  }

  std::size_t open() const { return connection.open() + results.size(); }

  std::optional<RequestId> submit(wire::Payload image, const SubmitOptions& how) {
    require(within(how.deadline, Duration(0)), "deadline: not from 0 to 24 h");
    if (open() >= options.open_max) return std::nullopt;
    require(how.priority <= Priority::high, "priority: not low, normal or high");
    producer::SubmitOptions options_of_image{
        .deadline = how.deadline, .priority = value_of(how.priority), .latest = how.latest};
    if (how.stream) options_of_image.stream = producer::StreamId{*how.stream};
    const auto id = connection.submit(
        std::move(image),
        [this](const producer::Delivered& one) { results.push_back(value_of(one)); },
        options_of_image);
    return id ? std::optional(id->value) : std::nullopt;
  }

  std::vector<Result> take_results() { return std::exchange(results, {}); }

  const Options options;
  const std::vector<std::string> endpoints;  // In the order of preference.
  producer::Connection connection;
  std::vector<Result> results;  // Not returned yet.
  std::vector<Correction> corrections;
};

Client::Client(Options options) : impl_(std::make_unique<Impl>(checked(std::move(options)))) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

void Client::connect() {
  producer::Connection& connection = impl_->connection;
  if (connection.join(impl_->options.connect_timeout)) return;
  if (connection.interrupted()) fail(Code::interrupted, "interrupted while connecting");
  const std::string why = connection.why_not_joined();
  if (connection.refusal() == wire::Reason::wrong_protocol) {
    fail(Code::incompatible, endpoint() + ": " + why);
  }
  std::string where;
  for (const std::string& one : impl_->endpoints) where += (where.empty() ? "" : " or ") + one;
  fail(Code::unreachable, "no broker answered at " + where + " within " +
                              seconds(impl_->options.connect_timeout) +
                              (why.empty() ? "" : ": " + why));
}

std::optional<RequestId> Client::submit(std::vector<std::byte> image,
                                        const SubmitOptions& options) {
  return impl_->submit(payload_of(std::move(image)), options);
}

std::optional<RequestId> Client::submit(std::span<const std::byte> image,
                                        const SubmitOptions& options) {
  return submit(std::vector<std::byte>(image.begin(), image.end()), options);
}

std::vector<Result> Client::poll(Duration timeout) {
  // What classify left is there already, but the connection is served all the same.
  const bool waiting = impl_->results.empty();
  impl_->connection.poll(waiting ? std::clamp(timeout, Duration(0), kTimeoutMax) : Duration(0));
  return impl_->take_results();
}

std::vector<Result> Client::drain(Duration timeout) {
  impl_->connection.close(std::clamp(timeout, Duration(0), kTimeoutMax));
  return impl_->take_results();
}

Result Client::classify(std::span<const std::byte> image, const SubmitOptions& options) {
  const auto id = submit(image, options);
  if (!id) fail(Code::full, "as many images are open as open_max or open_bytes_max allow");
  for (;;) {
    impl_->connection.poll(kTimeoutMax);
    // Comes to an end: the client gives every image a result shortly after its deadline.
    const auto found = std::ranges::find(impl_->results, *id, &Result::request);
    if (found == impl_->results.end()) continue;
    Result result = std::move(*found);
    impl_->results.erase(found);
    return result;
  }
}

bool Client::cancel(RequestId request) { return impl_->connection.cancel({.value = request}); }

std::vector<Correction> Client::take_corrections() { return std::exchange(impl_->corrections, {}); }

void Client::interrupt() noexcept { impl_->connection.interrupt(); }

void Client::refresh_keys() try {
  impl_->connection.refresh_keys();
} catch (const std::runtime_error& error) {
  fail(Code::keys, error.what());
}

bool Client::connected() const noexcept { return impl_->connection.joined(); }
std::size_t Client::open() const noexcept { return impl_->open(); }
std::size_t Client::window() const noexcept {
  const std::size_t room = impl_->options.open_max - std::min(impl_->options.open_max, open());
  return std::min(impl_->connection.window(), room);
}
std::size_t Client::correctable() const noexcept { return impl_->connection.correctable(); }
const std::string& Client::endpoint() const noexcept {
  return impl_->endpoints[impl_->connection.broker()];
}

}  // namespace collage
