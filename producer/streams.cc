#include "producer/streams.h"

#include <utility>

#include "wire/check.h"

namespace producer {

void Streams::add(StreamId stream, wire::RequestId id) {
  std::deque<wire::RequestId>& order = order_[stream];
  COLLAGE_CHECK(order.empty() || order.back() < id);
  order.push_back(id);
}

std::vector<Streams::Held> Streams::settle(StreamId stream, Held result) {
  const wire::RequestId id = result.delivered.result.request;
  held_.emplace(id, std::move(result));
  std::vector<Held> free;
  const auto found = order_.find(stream);
  COLLAGE_CHECK(found != order_.end());
  std::deque<wire::RequestId>& order = found->second;
  while (!order.empty()) {
    auto next = held_.extract(order.front());
    if (next.empty()) return free;
    free.push_back(std::move(next.mapped()));
    order.pop_front();
  }
  order_.erase(found);  // Streams come and go; an empty one must not use memory.
  return free;
}

Streams::Held* Streams::find(wire::RequestId id) {
  const auto found = held_.find(id);
  return found == held_.end() ? nullptr : &found->second;
}

}  // namespace producer
