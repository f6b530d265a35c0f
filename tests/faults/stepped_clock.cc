// Loaded into a process with LD_PRELOAD: its wall clock runs ahead by as many seconds as the file
// that COLLAGE_STEP names holds, a 64-bit number that may change at any time.  A step of the
// machine's own clock would hit every process of the machine.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>

namespace {

const std::atomic<std::int64_t>* map_step() {
  const char* path = std::getenv("COLLAGE_STEP");
  const int file = path == nullptr ? -1 : open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return nullptr;
  void* memory = mmap(nullptr, sizeof(std::int64_t), PROT_READ, MAP_SHARED, file, 0);
  close(file);
  return memory == MAP_FAILED ? nullptr : static_cast<const std::atomic<std::int64_t>*>(memory);
}

std::int64_t step() {
  static const std::atomic<std::int64_t>* const kStep = map_step();
  return kStep == nullptr ? 0 : kStep->load();
}

template <class Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" int clock_gettime(clockid_t clock, timespec* now) noexcept {
  static const auto kReal = next<int (*)(clockid_t, timespec*)>("clock_gettime");
  const int result = kReal(clock, now);
  const bool wall = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
  if (result == 0 && wall) now->tv_sec += step();
  return result;
}

extern "C" int gettimeofday(timeval* now, void* zone) noexcept {
  static const auto kReal = next<int (*)(timeval*, void*)>("gettimeofday");
  const int result = kReal(now, zone);
  if (result == 0) now->tv_sec += step();
  return result;
}

extern "C" time_t time(time_t* out) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (out != nullptr) *out = now.tv_sec;
  return now.tv_sec;
}
