// The bytes of all bodies that are held at once: each is reserved before it is read.
#pragma once

#include <atomic>
#include <cstddef>

namespace gateway {

// May be used by any thread.
class ByteBudget {
 public:
  explicit ByteBudget(std::size_t bytes_max) : left_(bytes_max) {}

  bool take(std::size_t bytes) {
    std::size_t left = left_;
    while (left >= bytes) {
      if (left_.compare_exchange_weak(left, left - bytes)) return true;
    }
    return false;
  }
  void give_back(std::size_t bytes) { left_ += bytes; }

 private:
  std::atomic<std::size_t> left_;
};

// What one request has reserved; given back at its end.
class Reservation {
 public:
  explicit Reservation(ByteBudget& budget) : budget_(budget) {}
  ~Reservation() { release(); }
  Reservation(const Reservation&) = delete;
  Reservation& operator=(const Reservation&) = delete;

  bool take(std::size_t bytes) {
    if (!budget_.take(bytes)) return false;
    bytes_ += bytes;
    return true;
  }
  void release() {
    budget_.give_back(bytes_);
    bytes_ = 0;
  }
  std::size_t bytes() const { return bytes_; }

 private:
  ByteBudget& budget_;
  std::size_t bytes_ = 0;
};

}  // namespace gateway
