#include "gateway/door/codec.h"

#include <exception>
#include <limits>
#include <utility>

#include "gateway/door/chunks.h"
#include "gateway/head.h"
#include "runtime/loop/clock.h"
#include "runtime/loop/log.h"

namespace gateway {
namespace {

constexpr std::size_t kHeadBytesMax = 32 << 10;

Problem no_room() {
  return {429, "full", "the gateway holds as many bytes of requests as it may",
          std::chrono::seconds(1)};
}

// Removes what the library would act upon in ways that codec.h lists.
void disarm(httplib::Request& request) {
  for (const char* name : {"Accept-Encoding", "Content-Encoding", "Content-Type"}) {
    request.headers.erase(name);
  }
}

RequestHead head_of(const httplib::Request& request) {
  RequestHead head{request.method, request.path, {}};
  for (const auto& [name, value] : request.headers) head.headers.emplace_back(name, value);
  return head;
}

}  // namespace

Codec::Codec(ClientStream& stream, const Policy& policy, ByteBudget& budget, Serve serve)
    : stream_(stream), policy_(policy), budget_(budget), serve_(std::move(serve)) {
  set_default_headers({{"X-Content-Type-Options", "nosniff"}, {"Cache-Control", "no-store"}});
  handle_requests();
  handle_errors();
}

// begin() has put every request to the path "/", so that the library has no pattern to match.
void Codec::handle_requests() {
  set_expect_100_continue_handler([this](const httplib::Request&, httplib::Response& response) {
    if (!rejection_) return 100;
    refuse(response, *rejection_);
    return response.status;
  });
  set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
    if (!rejection_ && request.method == "POST") return HandlerResponse::Unhandled;
    rejection_ ? refuse(response, *rejection_) : answer(response);
    return HandlerResponse::Handled;
  });
  Post("/", [this](const httplib::Request&, httplib::Response& response,
                   const httplib::ContentReader& reader) { read_body(response, reader); });
  set_post_routing_handler(
      [this](const httplib::Request&, httplib::Response& response) { finish_headers(response); });
}

void Codec::handle_errors() {
  set_exception_handler(
      [this](const httplib::Request&, httplib::Response& response, std::exception_ptr) {
        spdlog::error("a request to {} ended with an exception", request_.head.path);
        over_ = unread_ = true;  // Of the body, any part may not have been read.
        refuse(response, {500, "internal_error", "the gateway has failed at this request"});
      });
  set_error_handler(
      HandlerWithResponse([this](const httplib::Request&, httplib::Response& response) {
        complete_error(response);
        return HandlerResponse::Unhandled;  // Handled would apply ranges.
      }));
}

std::optional<int> Codec::serve_one() {
  request_ = Request{};
  request_.socket = stream_.socket();
  request_.began = runtime::now();
  chunked_ = filled_ = gone_ = false;
  announced_ = 0;
  rejection_.reset();
  body_problem_.reset();
  status_.reset();
  stream_.limit(request_.began + policy_.request_timeout, kHeadBytesMax);
  stream_.read_head();
  bool closes = false;
  const bool good =
      process_request(stream_, false, closes, [this](httplib::Request& one) { begin(one); });
  request_.body.reset();  // Whatever of it is still needed has a handle of its own.
  if (gone_) stream_.discard();
  over_ = !stream_.flush(policy_.write_timeout) || over_ || closes || !good || gone_;
  return gone_ ? std::nullopt : status_;
}

void Codec::begin(httplib::Request& request) {
  request_.head = head_of(request);
  disarm(request);
  request.path = "/";
  rejection_ = judge();
  // By RFC 9112 a request without either header has no body; the library would read to the end.
  if (!chunked_ && !request.has_header("Content-Length")) request.set_header("Content-Length", "0");
  // take() counts the bytes of chunks, and read_chunks bounds the lines between them.
  stream_.limit(chunked_ ? std::numeric_limits<std::size_t>::max() : policy_.body_bytes_max);
}

std::optional<Problem> Codec::judge() {
  const auto endpoint = find_endpoint(request_.head);
  const auto length = judge_body(request_.head, policy_);
  const bool post = request_.head.method == "POST";
  chunked_ = length && !length->bytes;
  announced_ = length ? length->bytes.value_or(0) : 0;
  std::optional<Problem> problem;
  if (!endpoint) {
    problem = endpoint.error();
  } else if (!length) {
    problem = length.error();
  } else if (post && length->bytes.value_or(0) > budget_.left()) {
    problem = no_room();  // take() would find out, but only after bytes had come in vain.
  }
  if (endpoint) request_.endpoint = *endpoint;
  const bool body_follows = !length || length->bytes.value_or(1) > 0;
  if (body_follows && (problem || !post)) over_ = unread_ = true;  // Nobody reads it.
  return problem;
}

// A length is only a claim, so nothing is reserved for it: clients that announce bodies and send
// nothing must not keep the others out.
void Codec::read_body(httplib::Response& response, const httplib::ContentReader& reader) {
  const auto body = std::make_shared<CountedBody>(budget_);
  const auto sink = [&](const char* data, std::size_t size) { return take(data, size, *body); };
  const bool whole = chunked_ ? read_chunks(stream_, sink) : reader(sink);
  if (!whole) {
    over_ = unread_ = true;
    response.status = -1;
    return refuse(response, why_not_read());
  }
  if (chunked_) body->bytes.shrink_to_fit();  // It has grown by steps, and may be held for long.
  request_.body = Body(body, &body->bytes);
  answer(response);
}

bool Codec::take(const char* data, std::size_t size, CountedBody& body) {
  if (body.bytes.size() + size > policy_.body_bytes_max) {
    body_problem_ = body_too_large(policy_);
  } else if (!body.reserved.take(size)) {
    body_problem_ = no_room();
  } else {
    // Address space alone until bytes are there.  Growing by steps instead would leave the smaller
    // steps with the heap of each connection's thread.
    if (body.bytes.empty()) body.bytes.reserve(announced_);
    body.bytes.append(data, size);
  }
  return !body_problem_;
}

Problem Codec::why_not_read() const {
  if (body_problem_) return *body_problem_;
  switch (stream_.end()) {
    case ClientStream::End::timeout:
      return {408, "timeout", "the body did not arrive in time"};
    case ClientStream::End::too_long:
      return body_too_large(policy_);
    case ClientStream::End::stopped:
      return {503, "draining", "the gateway is stopping", std::chrono::seconds(1)};
    default:
      return {400, "bad_body", "the body is not as its headers say"};
  }
}

void Codec::answer(httplib::Response& response) {
  request_.received = runtime::now();
  auto result = serve_(request_);
  gone_ = !result;
  if (gone_) response.status = 499;
  filled_ = true;
  if (result) fill(response, *result);
}

void Codec::fill(httplib::Response& response, const Response& from) {
  filled_ = true;
  response.status = from.status;
  for (const auto& [name, value] : from.headers) response.set_header(name, value);
  response.set_content(from.body, from.type);
}

void Codec::refuse(httplib::Response& response, const Problem& problem) {
  Response from = is_inference_protocol(request_.head.path) ? infer_problem_response(problem)
                                                            : problem_response(problem);
  if (problem.status == 405) from.add("Allow", std::string(allowed_methods(request_.head.path)));
  fill(response, from);
}

// Called for every error; those that are not filled in are the library's own.
void Codec::complete_error(httplib::Response& response) {
  if (filled_) return;
  over_ = unread_ = true;
  Problem problem{400, "bad_request", "the request is not well-formed HTTP"};
  if (stream_.end() == ClientStream::End::timeout) {
    problem = {408, "timeout", "the head of the request did not arrive in time"};
  } else if (stream_.end() == ClientStream::End::too_long) {
    problem = {431, "head_too_large", "the head of the request is too large"};
  } else if (response.status == 414) {
    problem = {414, "uri_too_long", "the path is too long"};
  }
  refuse(response, problem);
}

void Codec::finish_headers(httplib::Response& response) {
  status_ = response.status;
  if (!response.has_header("Content-Length")) {
    response.set_header("Content-Length", std::to_string(response.body.size()));
  }
  const bool kept = response.headers.erase("Keep-Alive") > 0 && !over_;
  if (kept) {
    // The library's own also names a number of requests, which is not bounded here.
    const auto idle = std::chrono::floor<std::chrono::seconds>(policy_.idle_timeout).count();
    response.set_header("Keep-Alive", "timeout=" + std::to_string(idle));
  }
  if (!over_) return;
  response.headers.erase("Connection");
  response.set_header("Connection", "close");
}

}  // namespace gateway
