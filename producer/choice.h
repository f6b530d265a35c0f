// Chooses one of several brokers for a stream of images.
//
// Every broker with its sink and stages is a pipeline of its own.  Producers with the same list of
// brokers choose the same broker for a stream, without communication.  A stream stays with its
// broker as long as this broker is in the list; the streams of a removed broker are spread evenly
// over the others.  The method is rendezvous hashing (Thaler and Ravishankar, 1998).
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace producer {

// Returns the index of the broker for `stream`.  The choice does not depend on the order of the
// list.  Requires at least one broker.
std::size_t choose_broker(std::string_view stream, std::span<const std::string> brokers);

// Returns the brokers in the order in which `stream` prefers them: first the one of choose_broker,
// next the one that it would be without the first, and so on.
std::vector<std::string> rank_brokers(std::string_view stream, std::vector<std::string> brokers);

}  // namespace producer
