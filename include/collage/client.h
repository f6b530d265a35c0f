// The C++ client of a Collage pipeline: images go in, classes come out.
//
//   #include <collage/client.h>
//
//   collage::Client client({.endpoints = {"tcp://127.0.0.1:5570"}});
//   client.connect();                                       // Throws if no broker answers.
//   const collage::Result result = client.classify(bytes);  // The bytes of a JPEG or PNG file.
//   if (result.status == collage::Status::answered) use(result.predictions.front().name);
//
// Many images at a time:
//
//   while (more_images || client.open() > 0) {
//     while (more_images && client.window() > 0) {
//       const std::optional<collage::RequestId> id = client.submit(next_image());
//       if (id) names[*id] = ...;
//     }
//     for (const collage::Result& result : client.poll(100ms)) use(result);
//   }
//
// Promise.  Every submitted image gets exactly one Result: the pipeline's answer, or the reason
// why there is none, shortly after its deadline at the latest.  The deadline runs from submit.
// When the broker restarts or is out of reach for a while, the client submits unanswered images
// again by itself.
//
// Threads.  A Client does everything inside its member functions, on the thread that calls them:
// it sends and receives only while a call of connect, poll, drain or classify is running.  One
// thread at a time may use a Client; interrupt() alone may be called from any thread.  Different
// Clients are independent.  A Client does not survive fork() in the child.
//
// Ownership.  A Client owns its connection and the images that it was given; everything that it
// returns is a value of the caller's.
//
// Errors.  Whatever keeps the client from working throws collage::Error.  Whatever becomes of one
// image is a Result.  Wrong use of a function (its REQUIRES) throws collage::Error too, with
// Error::Code::invalid_argument, and changes nothing.
//
// Link with collage::client (CMake) or with the flags of `pkg-config collage`.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace collage {

using Duration = std::chrono::nanoseconds;

// Names an image from submit to its Result; rises from 1 with every image of a Client.
using RequestId = std::uint64_t;

// Names images whose results must come in the order of submission.  Chosen by the caller.
using StreamId = std::uint64_t;

// What became of an image.
enum class Status : std::uint8_t {
  answered,    // It was classified: predictions holds the classes.
  missing,     // Nobody answered by its deadline.
  rejected,    // The image itself cannot be used; a retry will not help.
  refused,     // The pipeline did not take it, and its deadline left no time for a retry.
  cancelled,   // It was withdrawn by cancel().
  superseded,  // A newer image with the same SubmitOptions::latest came while it waited.
};

// Which network an answer comes from.
enum class Source : std::uint8_t {
  none,     // There is no answer.
  single,   // A network that saw this image alone.
  collage,  // The backup network, which saw a whole batch as one picture.
  hedge,    // A second network that was asked for this image alone.
};

// Which images an overloaded pipeline serves first.
enum class Priority : std::uint8_t { low, normal, high };

// "answered", "single" and so on; "unknown" for a value that is not listed above.
std::string_view to_string(Status status) noexcept;
std::string_view to_string(Source source) noexcept;

struct Prediction {
  std::string name{};       // Name of the class.
  std::uint64_t label = 0;  // Index of the class in the model's list of classes.
  float probability = 0;    // From 0 to 1.
};

struct Result {
  RequestId request = 0;
  Status status = Status::missing;
  Source source = Source::none;
  // Why there is no answer, e.g. "not_an_image", "no_stage"; docs/WIRE.md lists the reasons.
  std::string reason{};
  std::vector<Prediction> predictions{};  // The most probable first; not empty if answered.
  std::string model{};                    // Version of the model that answered.
  Duration latency{};         // Time from submit, with the wait for earlier Results of a stream.
  Duration broker_latency{};  // Time from admission, by the broker's clock; 0 if `local`.
  bool local = false;         // The client decided this by itself: the broker did not.
  // The answer is the collage's because the pipeline was overloaded: no network had been asked for
  // this image alone.
  bool brownout = false;
};

// A single network contradicted the collage's answer after it had been given out.
struct Correction {
  RequestId request = 0;  // Its Result was returned before, with Source::collage.
  Source source = Source::single;
  std::vector<Prediction> predictions{};  // The most probable first; never empty.
  std::string model{};                    // Version of the model that answered now.
  Duration latency{};                     // Time from submit.
  Duration broker_latency{};              // Time from admission, by the broker's clock.
};

// Why a client cannot work.  Running out of memory throws std::bad_alloc instead.
class Error : public std::runtime_error {
 public:
  enum class Code : std::uint8_t {
    invalid_argument,  // An option or an argument is not what its comment asks for.
    keys,              // The files of Options::keys cannot be used.
    unreachable,       // No broker answered in time.
    incompatible,      // The broker speaks another version of the protocol.
    interrupted,       // interrupt() ended the call.
    full,              // The bounds of Options on open images are reached.
    system,            // The operating system refused a socket or a descriptor.
  };
  // `what` is one line for a user.
  Error(Code code, const std::string& what);
  ~Error() override;

  Code code() const noexcept { return code_; }

 private:
  Code code_;
};

struct Options {
  // Brokers, as tcp://HOST:PORT or ipc://PATH; at least one.  A Client talks to one of them, and to
  // the next while that one is silent; see failover_after.
  std::vector<std::string> endpoints{};
  // With several endpoints: a name for the source of this client's images, say "camera-7".  Clients
  // with equal endpoints and equal affinity choose the same broker; the order of the endpoints
  // does not matter.  REQUIRES: not empty if there are several endpoints.
  std::string affinity{};
  // Folder with producer.secret and broker.public, as collage-keys writes them: the connection is
  // encrypted and both sides prove who they are.  Empty: plain.
  std::string keys{};
  // How long connect() waits.  REQUIRES: 0 to 24 h.
  Duration connect_timeout = std::chrono::seconds(5);
  // The deadline of an image that names none, counted from submit.  The broker's own deadline
  // (`broker.deadline` in pipeline.yaml) is the longest possible: one above it is cut to it.
  // REQUIRES: above 0, at most 24 h.
  Duration deadline = std::chrono::seconds(10);
  // Bounds on the open images, those that were submitted and whose Result was not returned: their
  // number, and the bytes of those that are not answered (one image is always taken).  REQUIRES:
  // above 0.
  std::size_t open_max = 1024;
  std::size_t open_bytes_max = std::size_t{1} << 30;
  // Whether to ask for corrections; see take_corrections().
  bool corrections = false;
  // With several endpoints: how long nothing may be heard from a broker, though its answer is due,
  // before the images that it has not answered go to the next.  Their deadlines run on, and each
  // image gets one Result, the first.  REQUIRES: above 0, at most 24 h.
  Duration failover_after = std::chrono::seconds(1);
};

struct SubmitOptions {
  // 0: Options::deadline.  One above the broker's deadline is cut to it.  REQUIRES: 0 to 24 h.
  Duration deadline{};
  // Results of one stream are returned in the order of submission.  A Result that comes early is
  // held back until those before it are there, which their own deadlines bound.
  std::optional<StreamId> stream{};
  Priority priority = Priority::normal;
  // For pictures of which only the newest counts, such as a camera's: the number of a stream of
  // this client (of its own kind, apart from `stream`), or 0 for none.  Each image supersedes the
  // older ones of its number that still wait; those get their Result with Status::superseded.
  std::uint64_t latest = 0;
};

class Client {
 public:
  // Opens a connection; does not wait for the broker.
  // Throws Error: invalid_argument, keys, system.
  explicit Client(Options options);
  // Gives up the images that are open.  Takes at most a second, while the last messages leave.
  ~Client();
  // A Client that was moved from may only be destroyed or assigned to.
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;

  // Waits until the broker has greeted this client; returns at once if it has.  Not required:
  // submitted images wait for the broker until their deadline.
  // Throws Error: unreachable after Options::connect_timeout, incompatible, interrupted.
  void connect();

  // Takes one encoded image: the bytes of a JPEG or PNG file.  The image is sent during the next
  // poll, as soon as the broker grants credit.  The first form keeps the vector, the second copies.
  // RETURNS: the image's id; nullopt, and the image is not taken, while the bounds of Options are
  // reached.
  // Throws Error: invalid_argument.
  [[nodiscard]] std::optional<RequestId> submit(std::vector<std::byte> image,
                                                const SubmitOptions& options = {});
  [[nodiscard]] std::optional<RequestId> submit(std::span<const std::byte> image,
                                                const SubmitOptions& options = {});

  // Sends and receives until there is a Result or a Correction, `timeout` at most (0: what is
  // there now; more than 24 h counts as 24 h).  Call it at least twice a second, even when nothing
  // is open: a broker forgets a client that is silent for some heartbeats (pipeline.yaml, 500 ms
  // by default).  That is no error: the client greets the broker again during the next poll.
  // RETURNS: the Results since the last call, in the order of their arrival; may be empty.
  std::vector<Result> poll(Duration timeout);

  // Polls until nothing is open, `timeout` at most.
  // RETURNS: the Results, as poll does.
  std::vector<Result> drain(Duration timeout);

  // Submits one image and waits for its Result.  Results of other images that come meanwhile are
  // returned by the next poll.
  // Throws Error: invalid_argument, full.
  Result classify(std::span<const std::byte> image, const SubmitOptions& options = {});

  // Asks for no answer to an image any more.  The image gets its Result all the same, once: with
  // Status::cancelled, or as it was answered meanwhile.  Not an error if it is not open.
  // RETURNS: whether it was open and unanswered.
  bool cancel(RequestId request);

  // With Options::corrections: the Corrections since the last call.  A Correction arrives during
  // poll, after its Result, within a window that the pipeline sets; at most one per image.
  std::vector<Correction> take_corrections();

  // Makes the running poll return early, or the next one if none is running; connect and drain end
  // too.  A running classify goes on.  May be called from any thread, and from a signal handler;
  // not while the Client is being moved or destroyed.
  void interrupt() noexcept;

  // Reads the folder of keys again, as while the broker's key is being replaced; does nothing
  // without keys.
  // Throws Error: keys; the keys that were read before stay in use.
  void refresh_keys();

  // Whether the broker has greeted this client and is not known to be gone.
  bool connected() const noexcept;
  // How many images were submitted and their Result not returned.
  std::size_t open() const noexcept;
  // How many more images would go out at once; 0 before the broker's greeting.
  std::size_t window() const noexcept;
  // How many returned Results a Correction may still follow, while somebody polls.
  std::size_t correctable() const noexcept;
  // The endpoint of the broker that images go to now.
  const std::string& endpoint() const noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace collage
