// A gateway's door over real sockets, with a broker that the test plays on loopback.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gateway/door/door.h"
#include "gateway/gateway.h"
#include "runtime/loop/clock.h"
#include "runtime/loop/random_id.h"
#include "runtime/service/service.h"
#include "tests/gateway/http_client.h"
#include "tests/library/played_broker.h"

namespace gateway {

using namespace std::chrono_literals;

inline wire::Welcome welcome() {
  return {.epoch = {.value = 7},
          .heartbeat = 200ms,
          .credit = 256,
          .image_bytes_max = 1000,
          .deadline_max = 60s};
}

// Answers by what an image says: "missing", or the name of a reason; anything else is a coat.
inline wire::Result result_of(const wire::Submit& submit) {
  const auto bytes = submit.image.bytes();
  const std::string text(bytes.begin(), bytes.end());
  wire::Result result = library_test::answer(submit.request);
  result.source = wire::Source::single;
  for (int number = 0; number < 256; ++number) {
    const auto reason = wire::reason_from(static_cast<std::uint64_t>(number));
    if (!reason || *reason == wire::Reason::none || to_string(*reason) != text) continue;
    result = {.request = submit.request,
              .status = number < 16 ? wire::ResultStatus::rejected : wire::ResultStatus::refused,
              .reason = *reason,
              .retry_after = 1500ms,
              .predictions = {},
              .version = {}};
  }
  if (text == "missing") {
    result = {.request = submit.request,
              .status = wire::ResultStatus::missing,
              .predictions = {},
              .version = {}};
  }
  return result;
}

class DoorTest : public testing::Test {
 protected:
  explicit DoorTest(Policy policy = {}) : policy_(std::move(policy)) { policy_.port = 0; }
  ~DoorTest() override { stop(); }

  // "silent" images are not answered at all.  While `cancels_wait_`, a Cancel is answered only
  // before the next image.
  std::vector<wire::Message> on_message(const wire::Message& message) {
    if (std::holds_alternative<wire::ProducerHello>(message)) return {welcome()};
    if (const auto* cancel = std::get_if<wire::Cancel>(&message)) {
      ++cancels_;
      wire::Result result;
      result.request = cancel->request;
      result.status = wire::ResultStatus::cancelled;
      cancelled_.emplace_back(result);
      if (cancels_wait_) return {};
      return std::exchange(cancelled_, {});
    }
    const auto* submit = std::get_if<wire::Submit>(&message);
    if (submit == nullptr) return {};
    ++submits_;
    last_priority_ = submit->priority;
    const auto bytes = submit->image.bytes();
    std::vector<wire::Message> answers = std::exchange(cancelled_, {});
    if (std::string(bytes.begin(), bytes.end()) != "silent") {
      answers.emplace_back(result_of(*submit));
    }
    return answers;
  }

  void start(bool with_broker = true) {
    if (with_broker) {
      broker_.emplace([this](const wire::Message& message) { return on_message(message); });
    }
    policy_.brokers = {with_broker ? broker_->endpoint() : "tcp://127.0.0.1:1"};
    gateway_.emplace(policy_, runtime::random_long_id<wire::ProducerId>());
    loop_.emplace(context_,
                  std::vector<runtime::Link>{runtime::connected_dealer(policy_.brokers[0], 0)},
                  *gateway_, runtime::Loop::Runner{}, runtime::Loop::Options{});
    door_.emplace(policy_, *gateway_, *loop_, [this]() -> std::optional<machine::Telemetry> {
      machine::Telemetry report;
      if (!loop_->call_on_loop([&] { report = loop_->telemetry(); }, 2s)) return std::nullopt;
      return report;
    });
    policy_.port = door_->port();
    gateway_->add_metrics([this](machine::Telemetry& more) { door_->figures().add_to(more); });
    running_ = std::thread([this] { loop_->run(); });
    if (with_broker) await([this] { return request("GET", "/readyz") == ready(); });
  }
  // What /readyz says while the broker answers.
  std::string ready() const { return "ready\nimages go to " + policy_.brokers[0] + "\n"; }
  void stop() {
    if (!running_.joinable()) return;
    loop_->stop();
    running_.join();
    loop_->close_calls();
    door_.reset();
  }

  // Waits for what other threads do; fails the test after ten seconds.
  void await(const std::function<bool()>& holds) {
    const wire::Instant end = runtime::now() + 10s;
    while (!holds()) {
      ASSERT_LT(runtime::now(), end);
      std::this_thread::yield();
    }
  }

  HttpClient connect() const { return HttpClient(policy_.port); }
  static std::string text(const std::string& method, const std::string& path,
                          const std::string& headers = "", const std::string& body = "") {
    return method + " " + path + " HTTP/1.1\r\nHost: x\r\n" + headers +
           (body.empty() ? "" : "Content-Length: " + std::to_string(body.size()) + "\r\n") +
           "\r\n" + body;
  }
  // The whole response to one request on a connection of its own.
  std::string response(const std::string& request_text) const {
    HttpClient client = connect();
    client.send(request_text);
    return client.read();
  }
  std::string request(const std::string& method, const std::string& path) const {
    return std::string(body_of(response(text(method, path))));
  }
  std::string classify(const std::string& image, const std::string& headers = "") const {
    return response(text("POST", "/v1/classify", "Content-Type: image/png\r\n" + headers, image));
  }
  double figure(const std::string& name) const {
    const std::string page = "\n" + request("GET", "/metrics");
    const std::size_t at = page.find("\n" + name + " ");
    return at == page.npos ? -1 : std::stod(page.substr(at + name.size() + 2));
  }

  Policy policy_;
  std::atomic<int> submits_ = 0, cancels_ = 0;
  std::atomic<bool> cancels_wait_ = false;
  std::vector<wire::Message> cancelled_;  // Answers that wait; of the broker's thread.
  std::atomic<wire::Priority> last_priority_ = wire::Priority::normal;
  std::optional<library_test::PlayedBroker> broker_;
  runtime::Context context_;
  std::optional<Gateway> gateway_;
  std::optional<runtime::Loop> loop_;
  std::optional<Door> door_;
  std::thread running_;
};

}  // namespace gateway
