// Which of several brokers a stream of images goes to, where one is not enough.
//
// Every broker with its sink and stages is a pipeline of its own; producers that know the same
// brokers choose the same one for a stream, without asking anybody.  A stream keeps to its broker
// while that is in the list, and one that is taken out scatters its streams evenly over the others:
// rendezvous hashing (Thaler and Ravishankar, 1998).
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace producer {

// Index of the broker for `stream`.  The order of the list does not matter to which it is.
// Requires that there is one.
std::size_t choose_broker(std::string_view stream, std::span<const std::string> brokers);

}  // namespace producer
