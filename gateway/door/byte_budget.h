// The bytes of all bodies that are held at once, counted as they come and for as long as anybody
// holds them.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

namespace gateway {

// A handle: copies share the bytes, because a body may outlive the door that received it.  May be
// used by any thread.
class ByteBudget {
 public:
  explicit ByteBudget(std::size_t bytes_max)
      : left_(std::make_shared<std::atomic<std::size_t>>(bytes_max)) {}

  bool take(std::size_t bytes) {
    std::size_t left = *left_;
    while (left >= bytes) {
      if (left_->compare_exchange_weak(left, left - bytes)) return true;
    }
    return false;
  }
  void give_back(std::size_t bytes) { *left_ += bytes; }
  // What a take of now could get.
  std::size_t left() const { return *left_; }

 private:
  std::shared_ptr<std::atomic<std::size_t>> left_;
};

// What one body has reserved; given back at its end.
class Reservation {
 public:
  explicit Reservation(ByteBudget budget) : budget_(std::move(budget)) {}
  ~Reservation() { budget_.give_back(bytes_); }
  Reservation(const Reservation&) = delete;
  Reservation& operator=(const Reservation&) = delete;

  bool take(std::size_t bytes) {
    if (!budget_.take(bytes)) return false;
    bytes_ += bytes;
    return true;
  }

 private:
  ByteBudget budget_;
  std::size_t bytes_ = 0;
};

// A body and its reservation, which end together.
struct CountedBody {
  explicit CountedBody(const ByteBudget& budget) : reserved(budget) {}

  Reservation reserved;  // Before the bytes, so that they are gone when it is given back.
  std::string bytes;
};

}  // namespace gateway
