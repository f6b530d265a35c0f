#include "runtime/loop/socket.h"

#include <linux/filter.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "runtime/config/config_error.h"
#include "runtime/loop/descriptors.h"
#include "runtime/loop/hand_over.h"
#include "runtime/loop/random_id.h"
#include "wire/check.h"

namespace runtime {
namespace {

// A routing id that ZeroMQ chose is a zero byte and 32 bits.  A peer's number is these 32 bits with
// one bit set above them, so that it is never 0, which means 'the one peer' on a dealer.
constexpr std::size_t kRoutingIdBytes = 5;
constexpr std::uint64_t kPeerBit = std::uint64_t{1} << 32;

std::optional<std::uint64_t> peer_of(const zmq::message_t& id) {
  const auto* bytes = id.data<std::uint8_t>();
  if (id.size() != kRoutingIdBytes || bytes[0] != 0) return std::nullopt;
  std::uint64_t value = 0;
  for (std::size_t i = 1; i < kRoutingIdBytes; ++i) value = value << 8 | bytes[i];
  return value | kPeerBit;
}

zmq::message_t routing_id(std::uint64_t peer) {
  std::array<std::uint8_t, kRoutingIdBytes> bytes{};
  for (std::size_t i = kRoutingIdBytes - 1; i > 0; --i, peer >>= 8) {
    bytes[i] = static_cast<std::uint8_t>(peer);
  }
  return zmq::message_t(bytes.data(), bytes.size());
}

// Passes the payload to ZeroMQ without a copy.  ZeroMQ keeps the handle until the frame has been
// sent, and releases it on its own thread.
zmq::message_t shared(const wire::Payload& payload) {
  auto held = std::make_unique<wire::Payload>(payload);
  void* data = const_cast<std::uint8_t*>(held->bytes().data());  // ZeroMQ only reads it.
  const std::size_t size = held->size();
  const auto drop = [](void*, void* handle) {
    take_over(handle);
    delete static_cast<wire::Payload*>(handle);
  };
  zmq::message_t message(data, size, drop, held.get());
  hand_over(held.release());
  return message;
}

wire::Payload payload_of(zmq::message_t part) {
  const auto held = std::make_shared<zmq::message_t>(std::move(part));
  return wire::Payload(held, std::span(held->data<std::uint8_t>(), held->size()));
}

void set_options(zmq::socket_t& socket, const Link& link) {
  // Memory is bounded by messages per connection x bytes per frame; libzmq's defaults are 1000
  // messages and frames of any size.
  socket.set(zmq::sockopt::sndhwm, link.send_hwm);
  socket.set(zmq::sockopt::rcvhwm, link.receive_hwm);
  socket.set(zmq::sockopt::maxmsgsize, static_cast<std::int64_t>(link.frame_bytes_max));
  // At the end, the last answers have a second to leave.  By default a peer that is gone would
  // block the end for ever.
  socket.set(zmq::sockopt::linger, 1000);
  // Detect a lost host or a half-open connection within 1.5 s, of which a request's deadline leaves
  // room for another try; TCP alone takes minutes.  A ping goes out every 500 ms, and a connection
  // on which nothing has come 1 s after a ping is closed; a peer closes one on which no ping has
  // come for 1.5 s.  The I/O thread answers pings even while a stage is busy, so these detect
  // failures of hosts and networks, not of stages.  A process that was stopped for longer finds its
  // connections closed; it connects again within 200 ms, and what was lost is sent or given out
  // again.
  socket.set(zmq::sockopt::heartbeat_ivl, 500);
  socket.set(zmq::sockopt::heartbeat_timeout, 1000);
  socket.set(zmq::sockopt::heartbeat_ttl, 1500);
  // A connection without a handshake holds a descriptor for 2 s instead of the default 30 s.
  socket.set(zmq::sockopt::handshake_ivl, 2000);
  // A restarted peer is connected again within half a second.  The interval doubles up to 1 s, so
  // that a fleet that lost its broker does not retry every 100 ms for long, and its requests are
  // answered soon after the broker's return.
  socket.set(zmq::sockopt::reconnect_ivl, 100);
  socket.set(zmq::sockopt::reconnect_ivl_max, 1000);
  // A hello may be queued before its connection exists; otherwise each start would need a retry.
  // The queue is bounded by credit and by the high-water mark above.
  socket.set(zmq::sockopt::immediate, false);
  // For peers that do not answer heartbeats: half-open connections end after a minute, not hours.
  socket.set(zmq::sockopt::tcp_keepalive, 1);
  socket.set(zmq::sockopt::tcp_keepalive_idle, 30);
  socket.set(zmq::sockopt::tcp_keepalive_intvl, 10);
  socket.set(zmq::sockopt::tcp_keepalive_cnt, 3);
  // Of 500 peers that connect at once, libzmq's 100 leave most to TCP's next try, a second later.
  socket.set(zmq::sockopt::backlog, accept_queue_max());
  if (link.kind == Link::Kind::router) {
    // By default a message to a lost or full peer is dropped silently; so it is an error.
    socket.set(zmq::sockopt::router_mandatory, true);
    // A second peer with the same id must not get the messages of the first.
    socket.set(zmq::sockopt::router_handover, false);
  }
}

zmq::const_buffer as_buffer(std::string_view text) { return zmq::buffer(text.data(), text.size()); }

// ZMQ_ZAP_ENFORCE_DOMAIN, which zmq.h declares among its drafts though the library always has it.
constexpr int kZapEnforceDomain = 93;

// libzmq admits any key unless a ZAP domain is set, is enforced, and has a handler; a server that
// has lost its handler must refuse every peer instead.
void set_server_keys(zmq::socket_t& socket, const Link& link) {
  socket.set(zmq::sockopt::curve_server, true);
  socket.set(zmq::sockopt::curve_secretkey, as_buffer(link.keys->now()->own.secret.text()));
  socket.set(zmq::sockopt::zap_domain, std::string(to_string(link.name)));
  const int enforced = 1;
  COLLAGE_CHECK(zmq_setsockopt(socket.handle(), kZapEnforceDomain, &enforced, sizeof enforced) ==
                0);
}

void set_client_keys(zmq::socket_t& socket, const Link& link, const PublicKey& server) {
  const auto keyring = link.keys->now();
  socket.set(zmq::sockopt::curve_serverkey, as_buffer(server.text()));
  socket.set(zmq::sockopt::curve_publickey, as_buffer(keyring->own.shared.text()));
  socket.set(zmq::sockopt::curve_secretkey, as_buffer(keyring->own.secret.text()));
}

PublicKey first_server_key(const Link& link) {
  link.keys->require_server(link.name);
  return link.keys->now()->servers(link.name).front();
}

}  // namespace

std::string_view Incoming::key() {
  const char* user = zmq_msg_gets(header.handle(), "User-Id");
  return user == nullptr ? std::string_view() : user;
}

std::string_view Incoming::address() {
  const char* address = zmq_msg_gets(header.handle(), "Peer-Address");
  return address == nullptr ? std::string_view("an unknown address") : address;
}

Context::Context() : context_(std::make_unique<zmq::context_t>()) {}
Context::~Context() = default;

Socket::Socket(Context& context, const Link& link)
    : link_(link),
      dialled_(link.bind ? to_bind(link.endpoint) : to_connect(link.endpoint)),
      router_(link.kind == Link::Kind::router),
      context_(&context) {
  if (keyed(link_) && !link_.bind) server_key_.emplace(first_server_key(link_));
  use(open(server_key_ ? &server_key_->key() : nullptr));
}

// Opens a socket; `server` is the server's key if this is a client with keys.
Socket::Opened Socket::open(const PublicKey* server) const try {
  // libzmq draws the first routing id of a ROUTER by rand(), which it never seeds, and counts up
  // from there.  A peer that knew the ids could choose the next one, at which an assertion of
  // libzmq fails, or that of a peer that has just gone, and be sent its results.  Programs that are
  // clients alone have no ROUTER, and keep their own seed.
  if (router_) std::srand(static_cast<unsigned>(random_bits()));
  Opened opened{.socket = zmq::socket_t(context_->native(), router_ ? zmq::socket_type::router
                                                                    : zmq::socket_type::dealer),
                .handshakes = std::nullopt};
  zmq::socket_t& socket = opened.socket;
  set_options(socket, link_);
  if (keyed(link_)) {
    link_.bind ? set_server_keys(socket, link_) : set_client_keys(socket, link_, *server);
  }
  if (keyed(link_) || (link_.bind && link_.endpoint.starts_with("tcp://"))) {
    opened.handshakes.emplace(*context_, socket);
  }
  socket.set(zmq::sockopt::ipv6, dialled_.ipv6);
  link_.bind ? socket.bind(dialled_.text) : socket.connect(dialled_.text);
  return opened;
} catch (const zmq::error_t& error) {
  throw ConfigError(link_.endpoint + ": " + error.what());
}

void Socket::use(Opened opened) {
  handshakes_.reset();  // Before the socket whose events they are.
  socket_ = std::move(opened.socket);
  if (opened.handshakes) handshakes_.emplace(std::move(*opened.handshakes));
}

void Socket::on_handshake(Handshakes::Happened happened) {
  using Event = Handshakes::Event;
  using Failure = ServerKeySelector::Failure;
  const Event event = happened.event;
  up_ = event == Event::succeeded;
  switch (event) {
    case Event::succeeded:
      failure_.reset();
      if (server_key_) server_key_->on_success();
      return;
    case Event::refused:
      // On a server the Authenticator has counted it already.
      if (server_key_) ++unreported_.refused;
      failure_ = Failure::refused;
      return;
    case Event::silent:
    case Event::ended:
      ++unreported_.failed;
      failure_ = event == Event::silent ? Failure::silent : Failure::ended;
      return;
    case Event::listening:
      listener_ = happened.descriptor;
      return;
    case Event::accepted:
      ++unreported_.accepted;
      return;
    case Event::accept_failed:
      ++unreported_.accept_failed;
      return;
    case Event::lost:
      return;
  }
}

// libzmq cannot stop listening without ending the connections that it has accepted.  But a filter
// on the listening socket drops whatever would open a connection, before the kernel accepts it; a
// client repeats its attempt.
bool Socket::accept_connections(bool yes) {
  if (listener_ < 0 || !link_.endpoint.starts_with("tcp://")) return true;
  sock_filter drop_all{.code = BPF_RET | BPF_K, .jt = 0, .jf = 0, .k = 0};
  const sock_fprog program{.len = 1, .filter = &drop_all};
  return setsockopt(listener_, SOL_SOCKET, yes ? SO_DETACH_FILTER : SO_ATTACH_FILTER, &program,
                    sizeof program) == 0;
}

bool Socket::poll_handshakes(std::size_t events_max, wire::Instant now,
                             HandshakeCounters& counters) {
  if (!handshakes_) return false;
  std::size_t taken = 0;
  for (; taken < events_max; ++taken) {
    const auto event = handshakes_->take();
    if (!event) break;
    on_handshake(*event);
  }
  if (server_key_) {
    if (failure_) {
      server_key_->on_failure(*failure_, link_.keys->now()->servers(link_.name), now);
      failure_.reset();
    }
    if (up_) send_held();
    // Messages that arrived before the connection ended are read first: a new socket loses them.
    const bool unread = (socket_.get(zmq::sockopt::events) & ZMQ_POLLIN) != 0;
    if (const auto at = server_key_->retry_at(); at && *at <= now && !unread) reopen(now);
  }
  counters.failed += unreported_.failed;
  counters.refused += unreported_.refused;
  counters.other_key += unreported_.other_key;
  counters.accepted += unreported_.accepted;
  counters.accept_failed += unreported_.accept_failed;
  if (!unreported_.not_reopened.empty()) counters.not_reopened = unreported_.not_reopened;
  unreported_ = {};
  return taken == events_max;
}

std::optional<wire::Instant> Socket::next_timeout() const {
  return server_key_ ? server_key_->retry_at() : std::nullopt;
}

// A new socket is needed because options apply to later connections only: libzmq's own retries keep
// the key that the connection began with, and end for good after some failures.  The old one stays
// until there is a new one: the process may have no descriptor left, and whoever polls or sends
// needs a socket.
void Socket::reopen(wire::Instant now) try {
  Opened opened = open(&server_key_->next());
  unreported_.other_key += server_key_->on_retry();
  socket_.set(zmq::sockopt::linger, 0);
  use(std::move(opened));
} catch (const ConfigError& error) {
  server_key_->put_off(now);
  unreported_.not_reopened = error.what();
}

// Returns false if there is no frame.
bool Socket::receive_part(zmq::message_t& part) {
  for (;;) {
    if (zmq_msg_recv(part.handle(), socket_.handle(), ZMQ_DONTWAIT) >= 0) {
      take_over(part.data());
      return true;
    }
    if (errno == EAGAIN) return false;
    COLLAGE_CHECK(errno == EINTR);  // The other errors would mean a closed or wrong socket.
  }
}

Socket::Received Socket::receive(Incoming& in) {
  in.peer = 0;
  in.payloads.clear();
  in.header.rebuild();
  zmq::message_t part;
  if (!receive_part(part)) return Received::nothing;
  bool foreign = false;
  bool more = true;
  if (router_) {
    const auto peer = peer_of(part);
    foreign = !peer;
    in.peer = peer.value_or(0);
    more = part.more();
    if (!more || !receive_part(part)) return foreign ? Received::foreign : Received::message;
  }
  std::size_t parts = 1;
  for (more = part.more(), in.header = std::move(part); more; ++parts) {
    zmq::message_t payload;
    COLLAGE_CHECK(receive_part(payload));  // Messages arrive whole or not at all.
    more = payload.more();
    // Every frame is read, or the next message would begin in the middle of this one.
    if (parts < kPartsMax) in.payloads.push_back(payload_of(std::move(payload)));
  }
  return foreign ? Received::foreign : Received::message;
}

// Returns false and sets errno if the frame cannot be sent.
bool Socket::send_part(zmq::message_t part, bool more) {
  const int flags = ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0);
  hand_over(part.data());
  for (;;) {
    if (zmq_msg_send(part.handle(), socket_.handle(), flags) >= 0) return true;
    if (errno != EINTR) return false;
  }
}

Socket::Sent Socket::send(std::uint64_t peer, const wire::Frames& frames) {
  if (!server_key_) return send_now(peer, frames);
  // Work may have blocked the loop for long; read whether the connection still exists.
  while (const auto event = handshakes_->take()) on_handshake(*event);
  if (up_) send_held();
  if (up_ && held_.empty()) return send_now(peer, frames);
  if (held_.size() >= static_cast<std::size_t>(link_.send_hwm)) return Sent::blocked;
  held_.push_back(frames);
  return Sent::sent;
}

void Socket::send_held() {
  while (!held_.empty() && send_now(0, held_.front()) == Sent::sent) held_.pop_front();
}

Socket::Sent Socket::send_now(std::uint64_t peer, const wire::Frames& frames) {
  const zmq::const_buffer header(frames.header.data(), frames.header.size());
  const bool sent = (!router_ || send_part(routing_id(peer), true)) &&
                    send_part(zmq::message_t(header.data(), header.size()), frames.has_payload) &&
                    (!frames.has_payload || send_part(shared(frames.payload), false));
  if (sent) return Sent::sent;
  if (errno == EHOSTUNREACH) return Sent::unroutable;
  COLLAGE_CHECK(errno == EAGAIN);
  return Sent::blocked;
}

std::string Socket::bound_endpoint() const { return socket_.get(zmq::sockopt::last_endpoint); }

}  // namespace runtime
