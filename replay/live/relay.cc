#include "replay/live/relay.h"

#include <vector>

#include "runtime/service/service.h"

namespace replay::live {
namespace {

std::vector<runtime::Link> links_of(const runtime::Pipeline& pipeline) {
  const std::uint64_t bytes = pipeline.broker.image_bytes_max;
  std::vector<runtime::Link> links;
  for (const std::string& endpoint :
       {pipeline.endpoints.workers, pipeline.endpoints.answers.front()}) {
    links.push_back(runtime::bound_router("tcp://127.0.0.1:0", bytes));
    for (std::uint32_t i = 0; i < Forwarder::kUpstreams; ++i) {
      links.push_back(runtime::connected_dealer(endpoint, bytes));
    }
  }
  return links;
}

}  // namespace

Relay::Relay(const runtime::Pipeline& pipeline, std::uint64_t seed)
    : forwarder_([this] { return link_faults(); }, machine::Rng(seed)) {
  loop_ = std::make_unique<runtime::Loop>(context_, links_of(pipeline), forwarder_,
                                          runtime::Loop::Runner{}, runtime::Loop::Options{});
  workers_ = loop_->bound_endpoint(Forwarder::downstream(0));
  answers_ = loop_->bound_endpoint(Forwarder::downstream(1));
  thread_ = std::thread([this] { loop_->run(); });
}

Relay::~Relay() {
  loop_->stop();
  thread_.join();
}

void Relay::set(const LinkFaults& link_faults) {
  const std::lock_guard lock(mutex_);
  link_faults_ = link_faults;
}

// Called by the forwarder in its thread, for each message.
LinkFaults Relay::link_faults() {
  const std::lock_guard lock(mutex_);
  counters_ = forwarder_.counters();
  return link_faults_;
}

Forwarder::Counters Relay::counters() const {
  const std::lock_guard lock(mutex_);
  return counters_;
}

}  // namespace replay::live
