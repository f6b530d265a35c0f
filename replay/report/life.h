// The life of one request, put together from the logs of the processes it went through.
//
// Processes that log requests (log.requests in pipeline.yaml) write a line a step, as
// machine::trace_text has it.  Steps are put in order by their ages since the request was admitted,
// as each host counts them; the clocks of the hosts are not compared.
#pragma once

#include <cstdint>
#include <istream>
#include <optional>
#include <string>
#include <vector>

namespace replay::report {

struct LoggedStep {
  std::string process, what;
  std::string batch;             // "1f2e3d4c:17".
  std::optional<int> slot;       // nullopt: the batch as a whole.
  std::optional<double> age_ms;  // Since admission; of a batch, since it opened.
  double batch_age_ms = 0;       // At "admitted": since the batch opened.
  std::string producer;          // With `request`, or empty.
  std::uint64_t request = 0;
  std::string worker, source;  // Empty if not told.
};

// The steps among the lines of a log, text or JSON, in order; lines of anything else are skipped.
std::vector<LoggedStep> read_steps(std::istream& log);

struct Life {
  std::string producer, batch;
  std::uint64_t request = 0;
  int slot = 0;
  // By age since admission, in which those of the batch are told too; as they were read where it is
  // the same, and last where it is not known.
  std::vector<LoggedStep> steps;
};

// Every request of that number, of all producers whose short name begins with `producer`: one for
// each time that a broker admitted it, in the order in which they were read.
std::vector<Life> lives(const std::vector<LoggedStep>& steps, std::uint64_t request,
                        const std::string& producer);

// A table of it, to be printed.
std::string life_text(const Life& life);

}  // namespace replay::report
