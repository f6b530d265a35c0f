#include "runtime/service/location.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>

namespace runtime {
namespace {

// At most `most` bytes of printable ASCII: names of hosts and units consist of it, and anything
// else could be no valid text on the wire.
std::string printable(std::string text, std::size_t most) {
  std::ranges::replace_if(
      text, [](char c) { return c < ' ' || c > '~'; }, '?');
  text.resize(std::min(text.size(), most));
  return text;
}

std::string host_name() {
  std::array<char, wire::kHostMax + 1> name{};
  // A longer name is cut off without a zero at the end.
  if (gethostname(name.data(), name.size() - 1) != 0 && name[0] == 0) return "";
  return name.data();
}

}  // namespace

std::string unit_of(std::string_view cgroups) {
  constexpr std::string_view kService = ".service";
  while (!cgroups.empty()) {
    const std::size_t end = std::min(cgroups.find('\n'), cgroups.size());
    std::string_view line = cgroups.substr(0, end);
    cgroups.remove_prefix(std::min(end + 1, cgroups.size()));
    line.remove_prefix(std::min(line.rfind('/') + 1, line.size()));
    if (line.size() > kService.size() && line.ends_with(kService)) {
      return std::string(line.substr(0, line.size() - kService.size()));
    }
  }
  return "";
}

wire::Location process_location(std::uint32_t index) {
  std::ifstream file("/proc/self/cgroup");
  const std::string cgroups{std::istreambuf_iterator<char>(file), {}};
  return {printable(host_name(), wire::kHostMax), printable(unit_of(cgroups), wire::kUnitMax),
          index, static_cast<std::uint32_t>(getpid())};
}

}  // namespace runtime
