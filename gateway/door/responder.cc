#include "gateway/door/responder.h"

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>

#include "gateway/classify_response.h"
#include "gateway/door/fresh_key.h"
#include "gateway/infer_request.h"
#include "gateway/infer_response.h"
#include "runtime/loop/event_fd.h"
#include "runtime/service/http.h"
#include "runtime/service/version.h"
#include "wire/fnv.h"

namespace gateway {
namespace {

// Longer than any call of the loop takes.
constexpr wire::Duration kCallMax = std::chrono::seconds(2);
// Remembered responses may take this part of open_bytes_max, in addition to it: there may be a
// million of them, each with thousands of classes.
constexpr std::size_t kRememberedShare = 8;
constexpr const char* kBlocked = "the loop of this process is blocked\n";

// Where a submission's outcomes arrive from the loop's thread.
struct Waiting {
  runtime::EventFd ready;
  std::mutex mutex;
  std::optional<std::vector<Outcome>> outcomes;
};

enum class Event { ready, gone, stopped };

// A client that has closed its half of the connection counts as gone, as for nginx: without a
// write, the two cannot be told apart.
Event wait_for(const Waiting& waiting, int stopping, int client, bool watch_client) {
  for (;;) {
    pollfd items[] = {{waiting.ready.descriptor(), POLLIN, 0},
                      {stopping, POLLIN, 0},
                      {watch_client ? client : -1, POLLRDHUP, 0}};
    if (::poll(items, 3, -1) < 0) continue;  // A signal.
    if (items[0].revents != 0) return Event::ready;
    if (items[1].revents != 0) return Event::stopped;
    if (items[2].revents != 0) return Event::gone;
  }
}

std::vector<Outcome> all_draining(std::size_t count) {
  return std::vector<Outcome>(count, {.kind = Outcome::Kind::draining, .delivered = {}});
}

std::uint64_t fingerprint_of(const Request& request) {
  wire::Fnv hash;
  for (const std::string_view text :
       {std::string_view(request.head.path), request.head.header("Content-Type"),
        std::string_view(*request.body)}) {
    hash.add(text);
    hash.add(std::uint8_t{0});
  }
  return hash.value();
}

Response respond_problem(const Request& request, const Problem& problem) {
  return request.endpoint == Endpoint::infer ? infer_problem_response(problem)
                                             : problem_response(problem);
}

// The outcomes alone tell: a response of several images has a status of its own.
bool are_final(const std::vector<Outcome>& outcomes) {
  return std::ranges::none_of(outcomes, [](const Outcome& outcome) {
    return status_of(outcome) >= 500 || status_of(outcome) == 429;
  });
}

Response plain(int status, std::string text) {
  Response response{
      .status = status, .type = "text/plain; charset=utf-8", .body = {}, .headers = {}};
  response.body = std::move(text);
  return response;
}

}  // namespace

Responder::Responder(const Policy& policy, Gateway& gateway, runtime::Loop& loop, Report report,
                     int stopping)
    : policy_(policy),
      gateway_(gateway),
      loop_(loop),
      report_(std::move(report)),
      stopping_(stopping),
      idempotency_(policy.idempotency_max, policy.open_bytes_max / kRememberedShare,
                   policy.idempotency_window) {}

std::optional<Response> Responder::respond(const Request& request) try {
  switch (request.endpoint) {
    case Endpoint::classify:
    case Endpoint::infer:
      return classify(request);
    case Endpoint::server:
      return server_metadata(runtime::version());
    case Endpoint::model:
      return model_metadata();
    case Endpoint::health_live:
      return health_response("live", report_().has_value());
    case Endpoint::health_ready:
    case Endpoint::model_ready:
      return health_response("ready", is_ready());
    case Endpoint::metrics:
    case Endpoint::livez:
    case Endpoint::readyz:
      return report_page(request.endpoint);
  }
  return std::nullopt;
} catch (const std::system_error& error) {
  // To wait for an answer takes a descriptor, of which there may be none for a while.
  if (error.code() != std::errc::too_many_files_open &&
      error.code() != std::errc::too_many_files_open_in_system) {
    throw;
  }
  return respond_problem(request, {503, "no_descriptors", "the gateway has no file descriptor left",
                                   std::chrono::seconds(1)});
}

bool Responder::is_ready() {
  const auto report = report_();
  return report && report->not_ready_reasons.empty();
}

Response Responder::ready() {
  std::string about;
  if (!loop_.call_on_loop([&] { about = gateway_.about(); }, kCallMax)) return plain(503, kBlocked);
  return plain(200, "ready\n" + about + "\n");
}

Response Responder::report_page(Endpoint endpoint) {
  auto report = report_();
  if (!report) return plain(503, kBlocked);
  if (endpoint == Endpoint::livez) return plain(200, "alive\n");
  if (endpoint == Endpoint::readyz) {
    std::string reasons;
    for (const std::string& reason : report->not_ready_reasons) reasons += reason + "\n";
    return reasons.empty() ? ready() : plain(503, reasons);
  }
  Response response = plain(200, runtime::metrics_page(std::move(*report), process_));
  response.type = runtime::kMetricsType;
  return response;
}

std::optional<Response> Responder::classify(const Request& request) {
  const auto options = read_options(request.head);
  if (!options) return respond_problem(request, options.error());
  std::optional<Response> response;
  if (!options->idempotency_key.empty()) {
    response = classify_once(request, *options);
  } else if (auto reply = submit(request, *options)) {
    response = std::move(reply->response);
  }
  if (!response) return std::nullopt;
  if (!options->traceparent.empty()) response->add("traceparent", options->traceparent);
  const wire::Duration receive = request.received - request.began;
  const wire::Duration pipeline = runtime::now() - request.received;
  response->add("Server-Timing", "receive;dur=" + milliseconds_text(receive) +
                                     ", pipeline;dur=" + milliseconds_text(pipeline));
  spdlog::debug("{} {} {} bytes, {} in {} ms{}{}", request.head.method, request.head.path,
                request.body->size(), response->status, milliseconds_text(receive + pipeline),
                options->traceparent.empty() ? "" : ", trace ", options->traceparent);
  return response;
}

std::optional<Response> Responder::classify_once(const Request& request,
                                                 const RequestOptions& options) {
  const std::string& key = options.idempotency_key;
  using What = Idempotency::Begun::What;
  Idempotency::Begun begun;
  // Before the lock: the hash of a large body takes tens of milliseconds, and others have keys.
  const std::uint64_t fingerprint = fingerprint_of(request);
  {
    const std::lock_guard lock(mutex_);
    begun = idempotency_.begin(key, fingerprint, runtime::now());
  }
  if (begun.what == What::replay) return begun.response;
  if (begun.what == What::mismatch) {
    return respond_problem(
        request, {422, "idempotency_key_reused", "the Idempotency-Key belongs to another request"});
  }
  if (begun.what == What::running) {
    return respond_problem(request, {409, "in_progress", "the same request is being worked on",
                                     std::chrono::seconds(1)});
  }
  FreshKey fresh(idempotency_, mutex_, key);
  auto reply = submit(request, options);
  if (!reply) return std::nullopt;
  if (reply->final) fresh.finish(reply->response, runtime::now());
  return std::move(reply->response);
}

std::optional<Responder::Reply> Responder::submit(const Request& request,
                                                  const RequestOptions& options) {
  if (request.endpoint == Endpoint::infer) {
    const auto parsed = read_infer_request(request.head, request.body, policy_);
    if (!parsed) return Reply{infer_problem_response(parsed.error())};
    const auto outcomes = await(request, parsed->images, options);
    if (!outcomes) return std::nullopt;
    return Reply{infer_response(*parsed, *outcomes), are_final(*outcomes)};
  }
  const auto parsed = read_classify_request(request.head, request.body, policy_);
  if (!parsed) return Reply{problem_response(parsed.error())};
  const auto outcomes = await(request, parsed->images, options);
  if (!outcomes) return std::nullopt;
  return Reply{classify_response(*parsed, *outcomes), are_final(*outcomes)};
}

Responder::Outcomes Responder::await(const Request& request, const std::vector<Image>& images,
                                     const RequestOptions& options) {
  const auto waiting = std::make_shared<Waiting>();
  const auto answered = [waiting](std::vector<Outcome> outcomes) {
    {
      const std::lock_guard lock(waiting->mutex);
      waiting->outcomes = std::move(outcomes);
    }
    waiting->ready.notify();
  };
  std::vector<wire::Payload> payloads;
  for (const Image& image : images) payloads.push_back(count_with(request.body, image.bytes));
  Gateway::Ticket ticket = 0;
  const bool called = loop_.call_on_loop(
      [&] {
        ticket = gateway_.submit(std::move(payloads), options.submit, answered, runtime::now());
      },
      kCallMax);
  if (!called) return all_draining(images.size());
  // What has a key is asked for again, so its answer is wanted even if the client goes.
  const bool watch = options.idempotency_key.empty();
  const Event event = wait_for(*waiting, stopping_, request.socket, watch);
  if (event == Event::ready) {
    const std::lock_guard lock(waiting->mutex);
    return std::move(waiting->outcomes);
  }
  loop_.call_on_loop([&] { gateway_.withdraw(ticket, runtime::now()); }, kCallMax);
  if (event == Event::gone) return std::nullopt;
  return all_draining(images.size());
}

}  // namespace gateway
