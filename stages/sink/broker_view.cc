#include "stages/sink/broker_view.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace stages::sink {

void BrokerView::on_workers(wire::WorkerStates part, wire::Instant now) {
  if (part.first == 0) parts_.clear();
  const bool fits = part.first == parts_.size() && part.total <= worker_max_ &&
                    part.total >= parts_.size() &&
                    part.workers.size() <= part.total - parts_.size();
  if (!fits) return parts_.clear();
  std::ranges::move(part.workers, std::back_inserter(parts_));
  if (parts_.size() < part.total) return;
  workers_ = std::exchange(parts_, {});
  listed_ = now;
}

void BrokerView::on_status(const wire::Status& status, wire::Instant now) {
  figures_.clear();
  for (const wire::Counter& counter : status.counters) figures_[counter.name] = counter.value;
  heard_ = now;
}

std::uint64_t BrokerView::figure(std::string_view name) const {
  const auto found = figures_.find(name);
  return found == figures_.end() ? 0 : found->second;
}

}  // namespace stages::sink
