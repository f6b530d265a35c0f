// An Idempotency-Key whose request is being worked on.
#pragma once

#include <mutex>
#include <string>
#include <utility>

#include "gateway/idempotency.h"

namespace gateway {

// Abandons the key at its end unless it was finished, so that a request which ends with an
// exception does not stay "in progress" for ever.
class FreshKey {
 public:
  // `key` has begun as `fresh`; `mutex` guards `known`.  Both must outlive this.
  FreshKey(Idempotency& known, std::mutex& mutex, std::string key)
      : known_(known), mutex_(mutex), key_(std::move(key)) {}
  ~FreshKey() {
    if (finished_) return;
    const std::lock_guard lock(mutex_);
    known_.abandon(key_);
  }
  FreshKey(const FreshKey&) = delete;
  FreshKey& operator=(const FreshKey&) = delete;

  // Remembers the response of the request.
  void finish(Response response, wire::Instant now) {
    const std::lock_guard lock(mutex_);
    known_.finish(key_, std::move(response), now);
    finished_ = true;
  }

 private:
  Idempotency& known_;
  std::mutex& mutex_;
  const std::string key_;
  bool finished_ = false;
};

}  // namespace gateway
