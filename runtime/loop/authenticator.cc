#include "runtime/loop/authenticator.h"

#include <cerrno>
#include <chrono>
#include <string>
#include <vector>

#include "runtime/config/config_error.h"
#include "runtime/security/zap.h"
#include "wire/check.h"

namespace runtime {
namespace {

// A ZAP request has 7 frames.  Frames beyond this bound are read and dropped, so that a longer
// request cannot use more memory; answer_zap refuses it anyway.
constexpr std::size_t kFramesMax = 16;

}  // namespace

Authenticator::Authenticator(Context& context) try
    : socket_(context.native(), zmq::socket_type::rep), limiter_(std::chrono::seconds(1)) {
  socket_.set(zmq::sockopt::linger, 0);
  // The address at which libzmq looks for the handler of a context (RFC 27).
  socket_.bind("inproc://zeromq.zap.01");
} catch (const zmq::error_t& error) {
  throw ConfigError(std::string("a context can have only one loop with server keys: ") +
                    error.what());
}

bool Authenticator::serve(const Keyring& keyring, std::size_t requests_max, wire::Instant now) {
  for (std::size_t i = 0; i < requests_max; ++i) {
    if (!serve_one(keyring, now)) return false;
  }
  return true;
}

// Returns false if there is no request.
bool Authenticator::serve_one(const Keyring& keyring, wire::Instant now) {
  std::vector<std::string> frames;
  zmq::message_t frame;
  do {
    while (zmq_msg_recv(frame.handle(), socket_.handle(), ZMQ_DONTWAIT) < 0) {
      if (errno == EINTR) continue;
      COLLAGE_CHECK(frames.empty());  // Messages arrive whole or not at all.
      return false;
    }
    if (frames.size() < kFramesMax) frames.push_back(frame.to_string());
  } while (frame.more());
  const ZapAnswer answer = answer_zap(frames, keyring);
  if (!answer.admitted) {
    ++refused_;
    warn_limited(limiter_, now, "a connection from {} is refused: {}", answer.address, answer.why);
  }
  for (std::size_t i = 0; i < answer.frames.size(); ++i) {
    const bool more = i + 1 < answer.frames.size();
    socket_.send(zmq::buffer(answer.frames[i]),
                 more ? zmq::send_flags::sndmore : zmq::send_flags::none);
  }
  return true;
}

}  // namespace runtime
