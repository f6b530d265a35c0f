// Reads the requests of one connection and writes their responses, with cpp-httplib.
//
// httplib::Server serves as the codec of a single connection here, and neither listens nor reads
// from sockets itself, because that way (version 0.11)
//   - its thread would wake up every 10 ms for each idle connection;
//   - a body without Content-Length would have no bound, and a compressed one could grow on the
//   way;
//   - a body that is too large would be read to its end;
//   - a chunk that does not end where it says would end the body, and the bytes after it would be
//     taken for the next request;
//   - a Range header with thousands of overlapping ranges would copy the response thousands of
//     times, if matching it did not overflow the stack before;
//   - responses would be compressed with the slowest setting whenever a client accepts that.
// So ranges (runtime/service/client_stream.h) and encodings are taken from a request before the
// library acts on them, and chunks are read here (chunks.h).
#pragma once

#include <httplib.h>

#include <functional>
#include <optional>
#include <string>

#include "gateway/door/byte_budget.h"
#include "gateway/http.h"
#include "gateway/image.h"
#include "gateway/policy.h"
#include "gateway/problem.h"
#include "gateway/routes.h"
#include "runtime/service/client_stream.h"

namespace gateway {

using runtime::ClientStream;

// A whole request, judged by its head.
struct Request {
  RequestHead head;
  Endpoint endpoint = Endpoint::livez;
  Body body = std::make_shared<const std::string>();
  int socket = -1;         // Of the client, to see whether it goes.
  wire::Instant began;     // When its first byte was there.
  wire::Instant received;  // When its last byte was.
};

class Codec : private httplib::Server {
 public:
  // Returns the response; nullopt if the client has gone.
  using Serve = std::function<std::optional<Response>(const Request&)>;

  // The three must outlive the codec.
  Codec(ClientStream& stream, const Policy& policy, ByteBudget& budget, Serve serve);

  // Serves one request whose first byte has arrived.  Returns the status of the response; nullopt
  // if there was none.
  std::optional<int> serve_one();
  // True if the connection must be closed.
  bool over() const { return over_; }
  // True if the client may still be sending.
  bool unread() const { return unread_; }

 private:
  void handle_requests();
  void handle_errors();
  void begin(httplib::Request& request);
  std::optional<Problem> judge();
  void read_body(httplib::Response& response, const httplib::ContentReader& reader);
  bool take(const char* data, std::size_t size, CountedBody& body);
  Problem why_not_read() const;
  void answer(httplib::Response& response);
  void fill(httplib::Response& response, const Response& from);
  void refuse(httplib::Response& response, const Problem& problem);
  void complete_error(httplib::Response& response);
  void finish_headers(httplib::Response& response);

  ClientStream& stream_;
  const Policy& policy_;
  ByteBudget& budget_;
  const Serve serve_;

  // Of the current request.
  Request request_;
  std::optional<Problem> rejection_;
  std::optional<Problem> body_problem_;
  bool chunked_ = false;
  std::size_t announced_ = 0;  // Bytes of the body, by its Content-Length.
  bool filled_ = false;        // The response was written by us and not by the library.
  bool gone_ = false;
  std::optional<int> status_;

  bool over_ = false;
  bool unread_ = false;
};

}  // namespace gateway
