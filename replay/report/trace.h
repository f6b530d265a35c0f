// The trace of one request, put together from the logs of the processes that handled it.
//
// Processes that log requests (log.requests in pipeline.yaml) write a line for each event, in the
// form of machine::trace_text.  Events are ordered by their ages since the request was admitted, as
// each host measures them; the clocks of the hosts are never compared.
#pragma once

#include <cstdint>
#include <istream>
#include <optional>
#include <string>
#include <vector>

namespace replay::report {

struct TraceEvent {
  std::string process, what;  // Who logged the event, and its name: "admitted", "classified".
  std::string batch;          // "1f2e3d4c:17".
  // nullopt if the event belongs to the batch as a whole or, with a producer, to a request that
  // waits outside of any batch.
  std::optional<int> slot;
  std::optional<double> age_ms;  // Since admission; for an event of a batch, since it opened.
  double batch_age_ms = 0;       // Time since the batch opened; of "admitted" and "placed".
  std::string producer;          // Short name of the producer; empty if the line has no request.
  std::uint64_t request = 0;     // Number of the request, if `producer` is not empty.
  std::string worker, source;    // Empty if the line has none.
};

// Reads the events from the lines of a log, text or JSON, in their order.  Skips all other lines.
std::vector<TraceEvent> read_trace_events(std::istream& log);

// A slot that a request had.
struct Place {
  std::string batch;
  int slot = 0;
  double opened_ms = 0;  // When its batch opened, in ms since the admission; may be negative.
};

struct Trace {
  std::string producer;
  std::uint64_t request = 0;
  // In the order in which the request had them: under overload it has none while it waits, and may
  // move from the batch of its single to that of a collage.
  std::vector<Place> places;
  // Ordered by age since admission, to which the ages of events of the batch are converted.  Events
  // of equal age are in the order of reading; events of unknown age come last.
  std::vector<TraceEvent> events;
};

// The traces of every request of that number, of all producers whose short name begins with
// `producer`: one for each admission by a broker, in the order of reading.
std::vector<Trace> traces(const std::vector<TraceEvent>& events, std::uint64_t request,
                          const std::string& producer);

// A table of the trace, to be printed.
std::string trace_text(const Trace& trace);

}  // namespace replay::report
