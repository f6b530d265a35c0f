// The client library: a pipeline in a few calls.
//
//   producer::Connection pipeline("tcp://127.0.0.1:5570");
//   pipeline.submit(bytes, [](const producer::Delivered& d) { ... });
//   while (pipeline.open() > 0) pipeline.poll(100ms);
//
// Everything happens inside poll, on the caller's thread: sending, receiving, and the callbacks,
// each called exactly once, with the answer or with the reason why there is none.  What the
// client promises stands in client.h.  Not for use by several threads at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "producer/client.h"

namespace producer {

class Connection {
 public:
  using Callback = std::function<void(const Delivered&)>;
  using CorrectionCallback = std::function<void(const Correction&)>;

  // An all-zero `policy.producer` has one drawn.  With a folder of keys (producer.secret and
  // broker.public) the connection is encrypted and both sides are known.  Does not wait for the
  // broker.  Throws runtime::ConfigError if the endpoint cannot be one, or the keys cannot be read.
  // Warnings about handshakes go to the log of the process, or nowhere: a program that only links
  // the client has its own log.
  enum class Warnings : std::uint8_t { logged, silent };
  explicit Connection(const std::string& endpoint, Policy policy = {},
                      const std::filesystem::path& keys = {}, Warnings warnings = Warnings::logged);

  // Reads the keys again, as while the broker's is being replaced; throws runtime::ConfigError, and
  // nothing changes, if they cannot be.  Nothing without keys.
  void refresh_keys();
  ~Connection();
  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;

  // Takes an encoded image (JPEG, PNG, ...) to be sent; nullopt, and nothing taken, while
  // policy.open_max images are open.  `deadline` 0 is the policy's.  Callbacks of images of one
  // stream are called in the order of submission.  May be called in a callback.
  std::optional<wire::RequestId> submit(wire::Payload image, Callback callback,
                                        wire::Duration deadline = {},
                                        std::optional<StreamId> stream = std::nullopt);

  // Asks for no answer to an open image any more; its callback is called all the same, as
  // client.h says.  False if it is not open.  May be called in a callback.
  bool cancel(wire::RequestId id);

  // With policy.corrections, is called for each correction, after the callback of its image.
  void on_correction(CorrectionCallback callback);

  // Serves the connection until something has been delivered, `timeout` at most; returns how many
  // callbacks were called.  Must be called at least once a heartbeat or the broker may forget us.
  std::size_t poll(wire::Duration timeout);

  // Polls until the broker has welcomed us, `timeout` at most; false if it has not, if it speaks
  // another protocol, or if interrupt() was called.
  bool join(wire::Duration timeout);
  // What is known of why it has not: "the broker does not allow our key"; may be empty.
  std::string why_not_joined() const;

  // Has the poll that runs return, or else the next one; close and join too.  From any thread, and
  // from a signal handler.
  void interrupt() noexcept;
  // Whether it was called before the last poll returned.
  bool interrupted() const;

  // Polls until nothing is open, `timeout` at most; returns how many images are left open.
  std::size_t close(wire::Duration timeout);

  bool joined() const;
  wire::Reason refusal() const;  // Why the broker ended the conversation, if it did.
  std::size_t open() const;
  // Answers whose corrections may still come; they do while somebody polls.
  std::size_t correctable() const;
  std::size_t window() const;  // How many more images would go out at once.
  const Client::Counters& counters() const;

 private:
  class Session;
  struct Wiring;
  std::unique_ptr<Wiring> wiring_;
};

}  // namespace producer
