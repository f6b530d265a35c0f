#include "replay/report/merge_runs.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <memory>
#include <stdexcept>
#include <string_view>

#include "replay/report/events.h"
#include "replay/report/run_file.h"
#include "wire/check.h"

namespace replay::report {
namespace {

using File = std::unique_ptr<gzFile_s, decltype(&gzclose)>;

void require_alike(const Summary& first, const Summary& other,
                   const std::filesystem::path& folder) {
  const auto expect = [&](bool alike, const char* what) {
    if (alike) return;
    throw std::runtime_error(folder.string() + ": is a run of another " + what + " than the first");
  };
  expect(first.scenario == other.scenario, "scenario");
  expect(first.mode == other.mode, "mode");
  expect(first.seed == other.seed, "seed");
  expect(first.commit == other.commit, "commit");
  expect(first.slots == other.slots, "size of batch");
  for (const PolicyRun& run : other.policies) {
    if (std::ranges::find(first.policies, run.name, &PolicyRun::name) != first.policies.end()) {
      throw std::runtime_error(folder.string() + ": has " + run.name + ", as one before it");
    }
  }
}

// All but the first line, which is the header.
void append_lines(const std::filesystem::path& from, gzFile to) {
  const File in(gzopen(from.c_str(), "rb"), &gzclose);
  if (!in) throw std::runtime_error(from.string() + ": cannot be read");
  std::array<char, 1 << 14> block{};
  bool header = true;
  int got = 0;
  while ((got = gzread(in.get(), block.data(), static_cast<unsigned>(block.size()))) > 0) {
    std::string_view text(block.data(), static_cast<std::size_t>(got));
    if (std::exchange(header, false)) {
      if (!text.starts_with(kEventHeader)) {
        throw std::runtime_error(from.string() + ": does not begin as events do");
      }
      text.remove_prefix(std::min(text.size(), kEventHeader.size() + 1));
    }
    if (!text.empty() && gzwrite(to, text.data(), static_cast<unsigned>(text.size())) <= 0) {
      throw std::runtime_error(from.string() + ": could not be copied");
    }
  }
  if (got < 0) throw std::runtime_error(from.string() + ": cannot be read");
}

void merge_events(const std::vector<std::filesystem::path>& folders,
                  const std::filesystem::path& file) {
  const std::filesystem::path part = file.string() + ".part";
  std::filesystem::create_directories(file.parent_path());
  File out(gzopen(part.c_str(), "wb1"), &gzclose);
  if (!out) throw std::runtime_error(part.string() + ": cannot be written");
  const bool begun = gzputs(out.get(), (std::string(kEventHeader) + "\n").c_str()) > 0;
  for (const std::filesystem::path& folder : folders) {
    append_lines(folder / "events.csv.gz", out.get());
  }
  if (!begun || gzclose(out.release()) != Z_OK) {
    throw std::runtime_error(part.string() + ": could not be written whole");
  }
  std::filesystem::rename(part, file);
}

}  // namespace

Summary merge_runs(const std::vector<std::filesystem::path>& folders,
                   const std::filesystem::path& out) {
  COLLAGE_CHECK(!folders.empty());
  Summary whole = read_run(folders.front());
  for (std::size_t i = 1; i < folders.size(); ++i) {
    Summary next = read_run(folders[i]);
    require_alike(whole, next, folders[i]);
    whole.command += " && " + next.command;
    std::ranges::move(next.policies, std::back_inserter(whole.policies));
    std::ranges::move(next.load, std::back_inserter(whole.load));
    std::ranges::move(next.seconds, std::back_inserter(whole.seconds));
    std::ranges::move(next.producers, std::back_inserter(whole.producers));
    std::ranges::move(next.groups, std::back_inserter(whole.groups));
    whole.pictures.merge(next.pictures);
  }
  merge_events(folders, out / "events.csv.gz");
  return whole;
}

}  // namespace replay::report
