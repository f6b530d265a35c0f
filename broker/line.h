// The images that wait for a stage, and whose turn it is.
//
// Producers share the stages by deficit round robin (Shreedhar and Varghese 1995) with a cost of
// one per image: each turn a producer gets as many images as its weight.  A producer that floods
// waits behind its own images.
//
// The three priorities are served strictly, except that a lower one that waits gets every tenth
// turn: priority `high` gets at least eight of ten, `normal` and `low` at least one of ten each.
//
// Line is pure.  Cost of every call: logarithmic in the number of producers that wait.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <optional>

#include "broker/task.h"
#include "wire/message.h"
#include "wire/types.h"

namespace broker {

class Line {
 public:
  struct Image {
    Task task;
    wire::ProducerId producer;
    wire::Priority priority = wire::Priority::normal;
    std::uint32_t weight = 1;  // The images of a turn of its producer; at least 1.
  };
  void push(const Image& image);

  // Takes out the image whose turn it is; nullopt if none waits.
  std::optional<Image> pop();

  // Puts an image back that pop() has just taken: it is the next of its priority again.
  void put_back(const Image& image);

  // Takes out an image that waits no more; does nothing if it is not in the line.
  void erase(Task task, wire::ProducerId producer, wire::Priority priority);

  // Number of images of this producer and priority that wait.
  std::size_t waiting(wire::ProducerId producer, wire::Priority priority) const;

  // Number of images that would be served before a new one of this producer and priority, by the
  // shares that hold now.
  std::size_t ahead(wire::ProducerId producer, wire::Priority priority, std::uint32_t weight) const;

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

 private:
  struct Queue {
    wire::ProducerId producer;
    std::uint32_t weight = 1;
    std::uint32_t left = 0;  // Images that it may still have in its present turn.
    std::deque<Image> images;
  };
  // The producers that wait at one priority, the one whose turn it is first.
  struct Level {
    std::list<Queue> turns;
    std::map<wire::ProducerId, std::list<Queue>::iterator> queues;
    std::size_t size = 0;
    std::uint64_t weights = 0;  // Sum over the producers that wait.
    std::uint32_t passed = 0;   // Images of higher priorities served while this one waited.
  };
  static std::size_t index(wire::Priority priority) { return static_cast<std::size_t>(priority); }
  Level& next_level();
  static Image take(Level& level);
  Queue& queue_of(const Image& image, Level& level);
  static void remove(Level& level, std::list<Queue>::iterator queue);

  std::array<Level, 3> levels_;  // By wire::Priority.
  std::size_t size_ = 0;
};

}  // namespace broker
