// Recordings: latencies as quantiles and as series (runtime/pipeline), the logs of requests and the
// events of a run (replay/report).  Any text is either read or refused with an error of one line.

#include <sstream>
#include <string>

#include "machine/random.h"
#include "replay/report/event_reader.h"
#include "replay/report/trace.h"
#include "runtime/config/config_error.h"
#include "runtime/pipeline/latency.h"
#include "runtime/pipeline/quantiles.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/memory_file.h"
#include "wire/check.h"

namespace {

void check(const std::runtime_error& error) {
  COLLAGE_CHECK(std::string(error.what()).find('\n') == std::string::npos);
}

void read_quantiles(const std::string& text) {
  try {
    COLLAGE_CHECK(machine::QuantileTable::valid(runtime::parse_quantiles(text, "table.csv")));
  } catch (const runtime::ConfigError& error) {
    check(error);
  }
}

void read_series(const fuzz::MemoryFile& file) {
  try {
    COLLAGE_CHECK(!runtime::load_series(file.path()).empty());
  } catch (const runtime::ConfigError& error) {
    check(error);
  }
}

void read_log(const std::string& text) {
  std::istringstream log(text);
  const auto events = replay::report::read_trace_events(log);
  for (const replay::report::TraceEvent& event : events) {
    for (const auto& trace : replay::report::traces(events, event.request, "")) {
      COLLAGE_CHECK(!trace_text(trace).empty());
    }
  }
}

void read_events(const fuzz::MemoryFile& file) {
  try {
    (void)replay::report::read_events(file.path(), 1, 9);
  } catch (const replay::report::EventError& error) {
    check(error);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  switch (input.below(4)) {
    case 0:
      read_quantiles(input.rest_as_text());
      break;
    case 1:
      read_series(fuzz::MemoryFile(input.rest()));
      break;
    case 2:
      read_log(input.rest_as_text());
      break;
    default:
      read_events(fuzz::MemoryFile(input.rest()));
  }
  return 0;
}
