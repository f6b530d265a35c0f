#include "replay/sim/expiry_checker.h"

#include <algorithm>

namespace replay::sim {

void ExpiryChecker::on_arrived(NodeId stage, const wire::Message& message, wire::Instant now) {
  const auto note = [&](const wire::Payload& picture, wire::Duration remaining) {
    // A stage that was lost for a while may get an image that it still has.
    wire::Instant& end = ends_[{stage, picture.bytes().data()}];
    end = std::max(end, now + remaining);
  };
  if (const auto* task = std::get_if<wire::Assign>(&message)) note(task->image, task->remaining);
  if (const auto* collage = std::get_if<wire::CollageTask>(&message)) {
    note(collage->picture, collage->remaining);
  }
}

void ExpiryChecker::on_work(NodeId node, const machine::Work& work, wire::Instant now) {
  if (const auto* singles = std::get_if<machine::Classify>(&work.job)) {
    on_begun(node, singles->image, now);
    for (const wire::Payload& image : singles->more) on_begun(node, image, now);
  } else if (const auto* collage = std::get_if<machine::ClassifyCollage>(&work.job)) {
    on_begun(node, collage->picture, now);
  }
}

void ExpiryChecker::on_begun(NodeId node, const wire::Payload& picture, wire::Instant now) {
  const auto found = ends_.find({node, picture.bytes().data()});
  if (found == ends_.end()) return;
  if (now >= found->second) violations_.add("a stage begins a task whose time is over", now);
  ends_.erase(found);
}

void ExpiryChecker::on_life(NodeId node) {
  std::erase_if(ends_, [node](const auto& end) { return end.first.first == node; });
}

}  // namespace replay::sim
