#include "runtime/service/process_metrics.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <optional>
#include <string_view>

namespace runtime {
namespace {

using testing::AllOf;
using testing::Ge;
using testing::Gt;
using testing::Le;
using testing::Optional;

std::optional<double> figure(std::string_view name) {
  machine::Telemetry report;
  ProcessFigures().add_to(report);
  const auto found = std::ranges::find(report.metrics, name, &machine::Metric::name);
  if (found == report.metrics.end()) return std::nullopt;
  return std::get<double>(found->samples.at(0).value);
}

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

TEST(ProcessFigures, CountTheCpuTimeUsed) {
  const double begin = cpu_seconds();
  volatile int worked = 0;  // Uses user time; reading the clock may use system time alone.
  while (cpu_seconds() < begin + 0.2) {
    for (int i = 0; i < 1000; ++i) worked = worked + 1;
  }
  const double before = cpu_seconds();
  const auto reported = figure("process_cpu_seconds_total");
  // The kernel's two clocks agree to a tick.
  EXPECT_THAT(reported, Optional(AllOf(Ge(before - 0.02), Le(cpu_seconds() + 0.02))));
}

TEST(ProcessFigures, HaveAStartThatDoesNotMove) {
  const double now =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  const ProcessFigures figures;
  machine::Telemetry first, second;
  figures.add_to(first);
  figures.add_to(second);
  const auto start = [](const machine::Telemetry& report) {
    return std::get<double>(
        std::ranges::find(report.metrics, "process_start_time_seconds", &machine::Metric::name)
            ->samples.at(0)
            .value);
  };
  EXPECT_THAT(start(first), AllOf(Gt(now - 3600), Le(now + 0.02)));
  EXPECT_EQ(start(first), start(second));
}

TEST(ProcessFigures, FollowTheMemoryAsItGrows) {
  const auto before = figure("process_resident_memory_bytes");
  constexpr std::size_t kBytes = 64 << 20;
  void* memory = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  EXPECT_THAT(figure("process_resident_memory_bytes"), Optional(Gt(*before + kBytes / 2.0)));
  EXPECT_THAT(figure("process_virtual_memory_bytes"), Optional(Gt(*before)));
  munmap(memory, kBytes);
}

TEST(ProcessFigures, CountOpenFiles) {
  const auto before = figure("process_open_fds");
  const int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
  EXPECT_THAT(figure("process_open_fds"), Optional(*before + 1));
  close(file);
  EXPECT_THAT(figure("process_max_fds"), Optional(Gt(*before)));
}

}  // namespace
}  // namespace runtime
