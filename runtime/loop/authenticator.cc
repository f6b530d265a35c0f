#include "runtime/loop/authenticator.h"

#include <chrono>
#include <string>
#include <vector>

#include "runtime/config/config_error.h"
#include "runtime/security/zap.h"
#include "wire/check.h"

namespace runtime {
namespace {

// More than any request has; the rest of one that is longer is not kept.
constexpr std::size_t kFramesMax = 16;

}  // namespace

Authenticator::Authenticator(Context& context) try
    : socket_(context.native(), zmq::socket_type::rep), limiter_(std::chrono::seconds(1)) {
  socket_.set(zmq::sockopt::linger, 0);
  socket_.bind("inproc://zeromq.zap.01");
} catch (const zmq::error_t& error) {
  throw ConfigError(std::string("a second loop that admits keys in one context: ") + error.what());
}

bool Authenticator::serve(const Keyring& keyring, std::size_t requests_max, wire::Instant now) {
  for (std::size_t i = 0; i < requests_max; ++i) {
    if (!serve_one(keyring, now)) return false;
  }
  return true;
}

// False if nothing was asked.
bool Authenticator::serve_one(const Keyring& keyring, wire::Instant now) {
  std::vector<std::string> frames;
  zmq::message_t frame;
  do {
    if (zmq_msg_recv(frame.handle(), socket_.handle(), ZMQ_DONTWAIT) < 0) {
      COLLAGE_CHECK(frames.empty());  // Messages arrive whole or not at all.
      return false;
    }
    if (frames.size() < kFramesMax) frames.push_back(frame.to_string());
  } while (frame.more());
  const ZapAnswer answer = answer_zap(frames, keyring);
  if (!answer.admitted) {
    ++refused_;
    warn_limited(limiter_, now, "{} is refused: {}", answer.address, answer.why);
  }
  for (std::size_t i = 0; i < answer.frames.size(); ++i) {
    const bool more = i + 1 < answer.frames.size();
    socket_.send(zmq::buffer(answer.frames[i]),
                 more ? zmq::send_flags::sndmore : zmq::send_flags::none);
  }
  return true;
}

}  // namespace runtime
