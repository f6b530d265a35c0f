#include "producer/push/listing.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <system_error>
#include <utility>

namespace producer {

namespace fs = std::filesystem;

namespace {

Item unreadable(const fs::path& path, std::string why) {
  return {
      .kind = Item::Kind::unreadable, .file = path.string(), .image = {}, .error = std::move(why)};
}

bool hidden(const fs::path& path) { return path.filename().string().starts_with('.'); }

// Returns true for files, links to files, and directories.  Links to directories are left out,
// because they can form a loop.
bool listed(const fs::directory_entry& entry) {
  std::error_code ignored;
  if (hidden(entry.path())) return false;
  if (entry.is_directory(ignored)) return !entry.is_symlink(ignored);
  return entry.is_regular_file(ignored);
}

}  // namespace

Lines::Next Lines::next(std::string& line) {
  for (;;) {
    const std::size_t end = buffer_.find('\n');
    if (end != std::string::npos || buffer_.size() >= kLineMax || (ended_ && !buffer_.empty())) {
      line = buffer_.substr(0, end);
      buffer_.erase(0, end == std::string::npos ? end : end + 1);
      return Next::line;
    }
    if (ended_) return Next::end;
    if (!fill()) return Next::later;
  }
}

// Reads once; returns false if there is no data yet.  It polls first, because the descriptor may be
// a terminal or a pipe in blocking mode, and a read would keep the client from its messages.
bool Lines::fill() {
  pollfd ready{.fd = descriptor_, .events = POLLIN, .revents = 0};
  if (poll(&ready, 1, 0) <= 0) return false;
  std::array<char, 4096> block;
  const ssize_t count = read(descriptor_, block.data(), block.size());
  if (count < 0 && (errno == EINTR || errno == EAGAIN)) return false;
  if (count <= 0) {
    ended_ = true;
  } else {
    buffer_.append(block.data(), static_cast<std::size_t>(count));
  }
  return true;
}

Listing::Listing(std::vector<std::string> paths, int list)
    : stack_(paths.rbegin(), paths.rend()), list_(list) {}

Item Listing::next(std::uint64_t bytes_max) {
  while (!stack_.empty()) {
    fs::path path = stack_.back();
    if (path == "-") {
      std::string line;
      const Lines::Next next = list_.next(line);
      if (next == Lines::Next::later) return {.kind = Item::Kind::later};
      if (next == Lines::Next::end) stack_.pop_back();
      if (next == Lines::Next::end || line.empty()) continue;
      path = line == "-" ? "./-" : line;  // A line "-" is a file's name, not another list.
    } else {
      stack_.pop_back();
    }
    std::error_code error;
    if (!fs::is_directory(path, error)) return read_image(path, bytes_max);
    Item failed;
    if (!expand(path, failed)) return failed;
  }
  return {.kind = Item::Kind::end};
}

bool Listing::expand(const fs::path& path, Item& failed) {
  std::error_code error;
  std::vector<fs::path> entries;
  for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
    if (listed(*it)) entries.push_back(it->path());
  }
  if (error) {
    failed = unreadable(path, error.message());
    return false;
  }
  std::sort(entries.begin(), entries.end(), std::greater<>());  // The stack's top is its end.
  stack_.insert(stack_.end(), entries.begin(), entries.end());
  return true;
}

std::uint64_t count_files(const std::vector<std::string>& paths) {
  std::uint64_t count = 0;
  std::vector<fs::path> stack(paths.begin(), paths.end());
  while (!stack.empty()) {
    const fs::path path = std::move(stack.back());
    stack.pop_back();
    std::error_code error;
    if (!fs::is_directory(path, error)) {
      count += path == "-" ? 0 : 1;
      continue;
    }
    for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
      if (!listed(*it)) continue;
      if (it->is_directory(error)) {
        stack.push_back(it->path());
      } else {
        ++count;
      }
    }
  }
  return count;
}

Item read_image(const fs::path& path, std::uint64_t bytes_max) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (error) return unreadable(path, error.message());
  if (!fs::is_regular_file(status)) return unreadable(path, "not a regular file");
  const std::uintmax_t size = fs::file_size(path, error);
  if (error) return unreadable(path, error.message());
  if (size > bytes_max) {
    return {.kind = Item::Kind::too_large, .file = path.string()};
  }
  std::ifstream in(path, std::ios::binary);
  if (!in) return unreadable(path, std::generic_category().message(errno));
  wire::Payload::Bytes bytes(static_cast<std::size_t>(size));
  in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  // Fewer bytes than the size: a read error, or another process has cut the file short.
  if (static_cast<std::uintmax_t>(in.gcount()) != size) return unreadable(path, "cannot be read");
  return {
      .kind = Item::Kind::image, .file = path.string(), .image = wire::Payload(std::move(bytes))};
}

}  // namespace producer
