// A broker for tests of the library: it answers every image as it is told to, in a thread of its
// own, on a socket of its own.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "wire/message.h"

namespace library_test {

// What the broker answers to a message of its only producer; may be nothing.
using Answers = std::function<std::vector<wire::Message>(const wire::Message&)>;

class PlayedBroker {
 public:
  explicit PlayedBroker(Answers answers);
  ~PlayedBroker();

  const std::string& endpoint() const;

 private:
  struct Running;
  std::unique_ptr<Running> running_;
};

// A greeting that allows for some images and for corrections.
wire::Welcome welcome();
// "coat" from a collage.
wire::Result answer(wire::RequestId request);

}  // namespace library_test
