// gateway/: the bytes of a connection from its client's first to its last.  They are read by the
// codec of the door, and each request by its reader; the responses are made of outcomes that are
// drawn.  Half of the inputs go to the readers at once, without a socket.

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "gateway/classify_request.h"
#include "gateway/classify_response.h"
#include "gateway/door/codec.h"
#include "gateway/head.h"
#include "gateway/infer_request.h"
#include "gateway/infer_response.h"
#include "gateway/request_options.h"
#include "runtime/loop/event_fd.h"
#include "runtime/service/client_stream.h"
#include "tests/fuzz/input.h"
#include "wire/check.h"

namespace {

using namespace std::chrono_literals;
using gateway::Response;

gateway::Policy small_policy() {
  gateway::Policy policy;
  policy.images_max = 4;
  policy.body_bytes_max = 2000;
  policy.open_bytes_max = 3000;
  return policy;
}

std::vector<gateway::Outcome> outcomes_of(std::size_t images) {
  std::vector<gateway::Outcome> outcomes(images);
  for (std::size_t i = 0; i < images; ++i) {
    wire::Result& result = outcomes[i].delivered.result;
    result.status = static_cast<wire::ResultStatus>(i % 6);
    if (i % 6 == 0) result.predictions = {{"coat", {{4}, 0.9F}}, {"shirt", {{6}, 0.1F}}};
  }
  return outcomes;
}

// Never throws: what a client sends is answered, or the connection ends.
Response respond(const gateway::RequestHead& head, const gateway::Body& body, bool infers,
                 const gateway::Policy& policy) noexcept {
  const auto options = gateway::read_options(head);
  if (!options) return problem_response(options.error());
  if (infers) {
    const auto request = gateway::read_infer_request(head, body, policy);
    if (!request) return infer_problem_response(request.error());
    COLLAGE_CHECK(!request->images.empty() && request->images.size() <= policy.images_max);
    return infer_response(*request, outcomes_of(request->images.size()));
  }
  const auto request = gateway::read_classify_request(head, body, policy);
  if (!request) return problem_response(request.error());
  COLLAGE_CHECK(!request->images.empty() && request->images.size() <= policy.images_max);
  return classify_response(*request, outcomes_of(request->images.size()));
}

// A connection: its bytes are all there at once, and its client then says that it sends no more.
void serve(std::span<const std::uint8_t> bytes) {
  static const runtime::EventFd stopping;
  static const gateway::Policy policy = small_policy();
  std::array<int, 2> sockets{};
  COLLAGE_CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets.data()) == 0);
  (void)!::send(sockets[1], bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  shutdown(sockets[1], SHUT_WR);
  {
    gateway::ByteBudget budget(policy.open_bytes_max);
    runtime::ClientStream stream(sockets[0], stopping.descriptor());
    gateway::Codec codec(stream, policy, budget, [](const gateway::Request& request) {
      const bool infers = request.endpoint == gateway::Endpoint::infer;
      return std::optional(respond(request.head, request.body, infers, policy));
    });
    std::array<char, 4096> sink{};
    while (!codec.over() && stream.wait(0ns)) {
      const auto status = codec.serve_one();
      COLLAGE_CHECK(!status || (*status >= 100 && *status < 600));
      while (::recv(sockets[1], sink.data(), sink.size(), MSG_DONTWAIT) > 0) continue;
    }
  }
  ::close(sockets[1]);
}

// One request: the lines up to an empty one are headers, as "name: value"; the rest is the body.
void read_request(fuzz::Input& input) {
  static const gateway::Policy policy = small_policy();
  const bool infers = input.flag();
  std::string rest = input.rest_as_text();
  runtime::hide_ranges(rest);
  gateway::RequestHead head{"POST", infers ? "/v2/models/collage/infer" : "/v1/classify", {}};
  std::size_t at = 0;
  for (std::size_t end = 0; (end = rest.find('\n', at)) != rest.npos && end > at; at = end + 1) {
    const std::size_t colon = rest.find(':', at);
    if (colon >= end) continue;
    head.headers.emplace_back(rest.substr(at, colon - at), rest.substr(colon + 1, end - colon - 1));
  }
  (void)gateway::judge_body(head, policy);
  auto body = std::make_shared<const std::string>(rest.substr(std::min(at + 1, rest.size())));
  (void)respond(head, body, infers, policy);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  if (input.flag()) {
    read_request(input);
  } else {
    serve(input.rest());
  }
  return 0;
}
