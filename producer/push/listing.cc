#include "producer/push/listing.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
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

bool is_link(const fs::path& path) {
  std::error_code ignored;
  return fs::is_symlink(fs::symlink_status(path, ignored));
}

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(path, ignored));
}

// The path without what does not change its meaning: another '/', a '/' at its end, and '.'.  A
// '..' stays, because what is before it may be a link.
std::string key_of(const fs::path& path) {
  fs::path key;
  for (const fs::path& part : path) {
    if (!part.empty() && part != ".") key /= part;
  }
  return key.string();
}

// A list with CRLF line ends, unless the name really has the \r.
void strip_cr(std::string& line) {
  if (line.ends_with('\r') && !is_there(line)) line.pop_back();
}

// A file descriptor that is closed at the end.
class File {
 public:
  // Does not block: a FIFO that has taken the place of a file meanwhile may have no writer.
  explicit File(const fs::path& path)
      : descriptor_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {}
  ~File() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  int get() const { return descriptor_; }

 private:
  const int descriptor_;
};

// Reads until `bytes` is full; returns 0, or the errno, or -1 at an early end of the file.
int read_all(int descriptor, wire::Payload::Bytes& bytes) {
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t count = read(descriptor, bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    if (count == 0) return -1;
    done += static_cast<std::size_t>(count);
  }
  return 0;
}

}  // namespace

Listing::Listing(const std::vector<Input>& inputs) {
  for (const Input& input : inputs) {
    const bool list = input.descriptor >= 0;
    stack_.push_back({.kind = list ? Step::Kind::list : Step::Kind::path,
                      .path = input.name,
                      .given = true,
                      .list = list ? static_cast<int>(lists_.size()) : -1});
    if (list) lists_.push_back({PathList(input.descriptor)});
  }
  std::reverse(stack_.begin(), stack_.end());
}

Item Listing::next(std::uint64_t bytes_max) { return step(bytes_max, true); }

bool Listing::skip() {
  const Item::Kind kind = step(0, false).kind;
  return kind != Item::Kind::end && kind != Item::Kind::later;
}

Item Listing::step(std::uint64_t bytes_max, bool read) {
  while (!stack_.empty()) {
    Step next;
    Item item;
    const Taken taken = take(next, item);
    if (taken == Taken::item) return item;
    if (taken == Taken::nothing) continue;
    if (next.kind == Step::Kind::directory) {
      if (items_ > next.items) continue;
      item = unreadable(next.path, "there are no files in this folder");
    } else if (!visit(next, bytes_max, read, item)) {
      continue;
    }
    ++items_;
    return item;
  }
  return {.kind = Item::Kind::end};
}

Listing::Taken Listing::take(Step& step, Item& item) {
  if (stack_.back().kind == Step::Kind::list) {
    const Step list = stack_.back();
    return take_path(list, step, item);
  }
  step = std::move(stack_.back());
  stack_.pop_back();
  return Taken::step;
}

Listing::Taken Listing::take_path(const Step& list, Step& path, Item& item) {
  List& from = lists_[static_cast<std::size_t>(list.list)];
  std::string text;
  switch (from.paths.next(text)) {
    case PathList::Next::path:
      strip_cr(text);
      if (text.empty()) return Taken::nothing;
      from.any = true;
      path = {.path = text, .given = true, .list = list.list};
      return Taken::step;
    case PathList::Next::later:
      item.kind = Item::Kind::later;
      return Taken::item;
    case PathList::Next::end:
      if (from.any) break;
      item = unreadable(list.path, "there are no paths in this list");
      break;
    case PathList::Next::fault:
      item = unreadable(list.path, "the list cannot be read: " + text);
      break;
  }
  stack_.pop_back();
  from.brought = {};
  if (item.kind == Item::Kind::end) return Taken::nothing;
  ++items_;
  return Taken::item;
}

// Returns false if the path is a directory whose contents follow, or was listed before.
bool Listing::visit(const Step& step, std::uint64_t bytes_max, bool read, Item& item) {
  std::error_code error;
  if (listed_before(step)) return false;
  if (fs::is_directory(step.path, error)) {
    if (step.given || !is_link(step.path)) return expand(step, item);
    item = unreadable(step.path, "a link to a folder is not followed");
  } else if (read) {
    item = read_image(step.path, bytes_max);
  } else {
    item.kind = Item::Kind::image;
  }
  return true;
}

// Returns true if the directory cannot be read, and makes that an item.
bool Listing::expand(const Step& step, Item& failed) {
  std::error_code error;
  std::vector<fs::path> entries;
  for (fs::directory_iterator it(step.path, error), end; !error && it != end; it.increment(error)) {
    if (!hidden(it->path())) entries.push_back(it->path());
  }
  if (error) {
    failed = unreadable(step.path, error.message());
    return true;
  }
  if (step.given) {
    stack_.push_back(
        {.kind = Step::Kind::directory, .path = step.path, .given = true, .items = items_});
  }
  std::sort(entries.begin(), entries.end(), std::greater<>());  // The stack's top is its end.
  for (fs::path& entry : entries) {
    stack_.push_back({.path = std::move(entry), .list = step.list});
  }
  return false;
}

// Returns true if a directory of the same list has brought the path already: `find` names a
// directory before what is in it.  Whether the path is there now would not do: it may be new, or be
// in a directory that could not be read.  It is left out once only: a list that names it again,
// such as one of files that have changed, means it.
bool Listing::listed_before(const Step& step) {
  if (step.list < 0) return false;
  auto& brought = lists_[static_cast<std::size_t>(step.list)].brought;
  if (step.given) return brought.erase(key_of(step.path)) > 0;
  brought.insert(key_of(step.path));
  return false;
}

std::uint64_t count_files(const std::vector<Input>& inputs) {
  std::vector<Input> paths = inputs;
  std::erase_if(paths, [](const Input& input) { return input.descriptor >= 0; });
  Listing listing(paths);
  std::uint64_t count = 0;
  while (listing.skip()) ++count;
  return count;
}

Item read_image(const fs::path& path, std::uint64_t bytes_max) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  const bool missing = status.type() == fs::file_type::not_found;
  if (missing && is_link(path)) return unreadable(path, "a link to a file that does not exist");
  if (error) return unreadable(path, error.message());
  if (!fs::is_regular_file(status)) return unreadable(path, "not a regular file");
  const File file(path);
  struct stat found {};
  if (file.get() < 0 || fstat(file.get(), &found) != 0) {
    return unreadable(path, std::generic_category().message(errno));
  }
  if (!S_ISREG(found.st_mode)) return unreadable(path, "not a regular file");
  const auto size = static_cast<std::uint64_t>(found.st_size);
  if (size > bytes_max) return {.kind = Item::Kind::too_large, .file = path.string()};
  wire::Payload::Bytes bytes(static_cast<std::size_t>(size));
  if (const int failed = read_all(file.get(), bytes)) {
    return unreadable(path, failed < 0 ? "another process has cut it short meanwhile"
                                       : std::generic_category().message(failed));
  }
  return {
      .kind = Item::Kind::image, .file = path.string(), .image = wire::Payload(std::move(bytes))};
}

}  // namespace producer
