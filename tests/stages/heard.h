// Picks messages of one kind out of the actions that a machine has asked for.
#pragma once

#include <variant>
#include <vector>

#include "machine/machine.h"

namespace stages {

// The messages of one kind to the peers of one link, in order.
template <class T>
std::vector<T> heard(const machine::Actions& actions, std::uint32_t link) {
  std::vector<T> found;
  for (const machine::Outgoing& out : actions.messages) {
    const T* message = std::get_if<T>(&out.message);
    if (message && out.to.link == link) found.push_back(*message);
  }
  return found;
}

}  // namespace stages
