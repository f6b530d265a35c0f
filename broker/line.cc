#include "broker/line.h"

#include <algorithm>

namespace broker {
namespace {

// A priority that waits is served after so many images of higher ones.
constexpr std::uint32_t kPassedMax = 9;

}  // namespace

Line::Queue& Line::queue_of(const Image& image, Level& level) {
  auto found = level.queues.find(image.producer);
  if (found == level.queues.end()) {
    level.turns.push_back({image.producer, image.weight, image.weight, {}});
    found = level.queues.emplace(image.producer, std::prev(level.turns.end())).first;
    level.weights += image.weight;
  }
  return *found->second;
}

void Line::push(const Image& image) {
  Level& level = levels_[index(image.priority)];
  if (level.size == 0) level.passed = 0;
  queue_of(image, level).images.push_back(image);
  level.size += 1;
  size_ += 1;
}

Line::Level& Line::next_level() {
  Level* best = nullptr;
  for (Level& level : levels_) {  // From low to high.
    if (level.size == 0) continue;
    if (level.passed >= kPassedMax) {
      best = &level;
      break;
    }
    best = &level;
  }
  for (Level& level : levels_) {
    if (&level == best) break;
    level.passed += level.size > 0 ? 1 : 0;
  }
  best->passed = 0;
  return *best;
}

Line::Image Line::take(Level& level) {
  const auto queue = level.turns.begin();
  const Image image = queue->images.front();
  queue->images.pop_front();
  queue->left -= 1;
  level.size -= 1;
  if (queue->images.empty()) {
    remove(level, queue);
  } else if (queue->left == 0) {
    queue->left = queue->weight;
    level.turns.splice(level.turns.end(), level.turns, queue);
  }
  return image;
}

void Line::remove(Level& level, std::list<Queue>::iterator queue) {
  level.weights -= queue->weight;
  level.queues.erase(queue->producer);
  level.turns.erase(queue);
}

std::optional<Line::Image> Line::pop() {
  if (size_ == 0) return std::nullopt;
  const Image image = take(next_level());
  size_ -= 1;
  return image;
}

void Line::put_back(const Image& image) {
  Level& level = levels_[index(image.priority)];
  Queue& queue = queue_of(image, level);
  level.turns.splice(level.turns.begin(), level.turns, level.queues.at(image.producer));
  queue.left = std::min(queue.left % queue.weight + 1, queue.weight);
  queue.images.push_front(image);
  level.size += 1;
  size_ += 1;
}

void Line::erase(Task task, wire::ProducerId producer, wire::Priority priority) {
  Level& level = levels_[index(priority)];
  const auto found = level.queues.find(producer);
  if (found == level.queues.end()) return;
  std::deque<Image>& images = found->second->images;
  const auto image =
      std::find_if(images.begin(), images.end(), [task](const Image& i) { return i.task == task; });
  if (image == images.end()) return;
  images.erase(image);
  level.size -= 1;
  size_ -= 1;
  if (images.empty()) remove(level, found->second);
}

std::size_t Line::waiting(wire::ProducerId producer, wire::Priority priority) const {
  const Level& level = levels_[index(priority)];
  const auto found = level.queues.find(producer);
  return found == level.queues.end() ? 0 : found->second->images.size();
}

std::size_t Line::ahead(wire::ProducerId producer, wire::Priority priority,
                        std::uint32_t weight) const {
  const Level& level = levels_[index(priority)];
  const std::size_t own = waiting(producer, priority);
  const std::uint64_t weights = level.weights + (own == 0 ? weight : 0);
  // Before its own number `own + 1` comes up each other producer has had its share of as many
  // turns.
  const std::size_t turns = own / weight + 1;
  std::size_t ahead = std::min<std::size_t>(level.size, turns * (weights - weight) + own);
  for (std::size_t i = index(priority) + 1; i < levels_.size(); ++i) ahead += levels_[i].size;
  return ahead;
}

}  // namespace broker
