// The client library: submits images to a pipeline and calls back with the results.
//
//   producer::Connection pipeline("tcp://127.0.0.1:5570");
//   pipeline.submit(bytes, [](const producer::Delivered& d) { ... });
//   while (pipeline.open() > 0) pipeline.poll(100ms);
//
// Sending, receiving and callbacks happen inside poll, on the caller's thread.  Each callback is
// called exactly once, with the answer or with the reason why there is none.  client.h has the
// guarantees.  Not safe for concurrent use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "producer/client.h"

namespace producer {

class Connection {
 public:
  using Callback = std::function<void(const Delivered&)>;
  using CorrectionCallback = std::function<void(const Correction&)>;

  // Where warnings about handshakes go: to the log of the process, or nowhere, because a program
  // that only links the client has a log of its own.
  enum class Warnings : std::uint8_t { logged, silent };
  // Several endpoints are brokers in the order of preference (rank_brokers in choice.h); client.h
  // says when another than the first is used.
  //
  // An all-zero `policy.producer` is replaced by a random id.  With a folder of keys
  // (producer.secret and broker.public) the connection is encrypted and both sides are
  // authenticated.  Does not wait for the broker.  Throws runtime::ConfigError if the endpoint is
  // not valid or the keys cannot be read.
  explicit Connection(const std::string& endpoint, Policy policy = {},
                      const std::filesystem::path& keys = {}, Warnings warnings = Warnings::logged);
  explicit Connection(const std::vector<std::string>& endpoints, Policy policy = {},
                      const std::filesystem::path& keys = {}, Warnings warnings = Warnings::logged);

  // Reads the keys again, for instance while the broker's key is being replaced.  Throws
  // runtime::ConfigError, and nothing changes, if they cannot be read.  Does nothing without keys.
  void refresh_keys();
  ~Connection();
  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;

  // Queues an encoded image (JPEG, PNG) to be sent.  Returns nullopt, and takes nothing, while
  // policy.open_max images are open.  The callbacks of images of one stream are called in the order
  // of submission.  May be called in a callback.
  std::optional<wire::RequestId> submit(wire::Payload image, Callback callback,
                                        const SubmitOptions& options = {});

  // Withdraws an open image; its callback is still called (client.h).  Returns false if the image
  // is not open.  May be called in a callback.
  bool cancel(wire::RequestId id);

  // Sets the callback for corrections, which need policy.corrections.  It is called after the
  // callback of the image.
  void on_correction(CorrectionCallback callback);

  // Serves the connection until something has been delivered, but at most for `timeout`.  Returns
  // the number of callbacks that were called.  Call it at least once per heartbeat, otherwise the
  // broker may take this producer for gone.
  std::size_t poll(wire::Duration timeout);

  // Polls until the broker has welcomed this producer, but at most for `timeout`.  Returns false if
  // the broker has not, if it uses another protocol version, or if interrupt() was called.
  bool join(wire::Duration timeout);
  // Returns the known reason why the broker has not, such as "the server does not allow our key";
  // may be empty.
  std::string why_not_joined() const;

  // Makes the running poll, join or close return, or else the next one.  Call it from any thread or
  // from a signal handler.
  void interrupt() noexcept;
  // Returns true if interrupt() was called before the last poll returned.
  bool interrupted() const;

  // Polls until no image is open, but at most for `timeout`.  Returns the number of open images.
  std::size_t close(wire::Duration timeout);

  bool joined() const;
  // The broker that images go to now, as the index of its endpoint.
  std::size_t broker() const;
  wire::Reason refusal() const;  // Why the broker ended the conversation, if it did.
  std::size_t open() const;
  // The number of answers that a correction may still follow, if poll is called.
  std::size_t correctable() const;
  // The number of images that submit would accept and send without a wait for credit.
  std::size_t window() const;
  const Client::Counters& counters() const;

 private:
  class Session;
  struct Wiring;
  std::unique_ptr<Wiring> wiring_;
};

}  // namespace producer
