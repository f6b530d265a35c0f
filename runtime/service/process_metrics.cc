#include "runtime/service/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>

namespace runtime {
namespace {

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

double seconds_of(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Returns the start of the process as seconds since 1970.  It is computed once, by the host's
// clock at that time: a value that moved with each correction of the clock would look like a
// restart.
double start_of_process() {
  // The start is field 22 of proc(5).  The second, the name, may contain spaces and ends with ')';
  // 19 fields lie between the name and the start.
  constexpr int kFieldsBefore = 19;
  std::ifstream stat("/proc/self/stat");
  std::string word;
  stat.ignore(std::numeric_limits<std::streamsize>::max(), ')');
  for (int i = 0; i < kFieldsBefore; ++i) stat >> word;
  double ticks = 0;
  if (!(stat >> ticks)) return 0;
  const double age = seconds_of(CLOCK_BOOTTIME) - ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
  return seconds_of(CLOCK_REALTIME) - age;
}

}  // namespace

ProcessFigures::ProcessFigures() : started_(start_of_process()) {}

void ProcessFigures::add_to(machine::Telemetry& report) const {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  report.metrics.push_back({"process_cpu_seconds_total",
                            "CPU time used, user and system.",
                            machine::Metric::Kind::counter,
                            {{{}, seconds(usage.ru_utime) + seconds(usage.ru_stime)}}});
  if (started_ > 0) {
    report.gauge("process_start_time_seconds", "Start of the process, in seconds since 1970.",
                 started_);
  }
  std::ifstream statm("/proc/self/statm");
  double pages = 0, resident = 0;
  if (statm >> pages >> resident) {
    const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
    report.gauge("process_virtual_memory_bytes", "Virtual memory.", pages * page);
    report.gauge("process_resident_memory_bytes", "Memory in RAM.", resident * page);
  }
  std::error_code hidden;
  const std::filesystem::directory_iterator open("/proc/self/fd", hidden);
  if (!hidden) {
    report.gauge("process_open_fds", "File descriptors open.",
                 static_cast<double>(std::distance(begin(open), end(open))));
  }
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    report.gauge("process_max_fds", "File descriptors allowed.",
                 static_cast<double>(files.rlim_cur));
  }
}

}  // namespace runtime
