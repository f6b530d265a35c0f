// Remembers responses by their Idempotency-Key, so that a request which is sent again is not
// classified again.
//
//     begin(key, request) -> fresh     the caller does the work, then calls finish or abandon
//                            replay    the response to the same request, as it was
//                            running   the same request is being worked on
//                            mismatch  the key belongs to another request
//
// In memory alone: a restart forgets, and a request that is sent again is classified again, which
// does no harm.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <string>

#include "gateway/http.h"
#include "wire/types.h"

namespace gateway {

class Idempotency {
 public:
  // Keeps up to `entries_max` responses, each for `window` after it was given, which together with
  // their keys take up to `bytes_max`; beyond either bound the oldest make room.
  Idempotency(std::size_t entries_max, std::size_t bytes_max, wire::Duration window)
      : entries_max_(entries_max), bytes_max_(bytes_max), window_(window) {}

  struct Begun {
    enum class What : std::uint8_t { fresh, replay, running, mismatch } what = What::fresh;
    Response response{};  // With `replay`.
  };
  // `fingerprint` tells one request from another.
  Begun begin(const std::string& key, std::uint64_t fingerprint, wire::Instant now);
  // Remembers the response of a request that began as `fresh`; forgets the request if the response
  // is larger than all may be together.
  void finish(const std::string& key, Response response, wire::Instant now);
  // Forgets a request that began as `fresh`, because its response would not be the same again.
  void abandon(const std::string& key);

  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::uint64_t fingerprint = 0;
    std::optional<Response> response;  // nullopt while the request is being worked on.
    wire::Instant expires;             // With a response.
    std::size_t bytes = 0;             // What the response counts.
  };
  static std::size_t bytes_of(const std::string& key, const Response& response);
  void expire(wire::Instant now);

  const std::size_t entries_max_;
  const std::size_t bytes_max_;
  const wire::Duration window_;
  std::map<std::string, Entry> entries_;
  std::list<std::string> finished_;  // Keys with a response, the oldest first.
  std::size_t bytes_ = 0;            // Of these responses.
};

}  // namespace gateway
