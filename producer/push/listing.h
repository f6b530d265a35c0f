// Lists the files to push, one at a time, so that neither their contents nor the whole tree is in
// memory.
//
// A file stands for itself.  A directory stands for what is below it, depth first and in order of
// name, without hidden files.  A list stands for the paths in it (path_list.h); what a directory of
// the list has brought is left out once if the list names it afterwards, as the output of find
// does.  To know it, the paths of that directory are in memory until the list ends or names them.
// A file that was not there when the directory was read is not left out.  What cannot be sent is an
// item with the reason, so that every path is reported: a file that cannot be read, a pipe, a link
// to nothing, a link to a directory (they can form a loop, so none is followed), and a directory or
// a list without files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "producer/push/path_list.h"
#include "producer/push/push_item.h"

namespace producer {

// What the user names: a path, or a list of paths.
struct Input {
  std::string name;     // The path, or the name of the list.
  int descriptor = -1;  // What the list is read from; -1 if `name` is a path.
};

class Listing {
 public:
  // The descriptors stay the caller's.
  explicit Listing(const std::vector<Input>& inputs);

  // Returns the next file with its contents.  A file above `bytes_max` bytes is not read.
  Item next(std::uint64_t bytes_max);
  // Skips the next item without reading its file.  Returns false if there is none, or none yet.
  bool skip();

 private:
  using Path = std::filesystem::path;
  struct Step {
    enum class Kind : std::uint8_t {
      path,       // To be visited.
      list,       // To be read on.
      directory,  // All that was below a directory has been visited.
    } kind = Kind::path;
    Path path{};              // The path, or the name of the list.
    bool given = false;       // Named by the user, and not found in a directory.
    std::uint64_t items = 0;  // Items so far when the directory was visited.
    int list = -1;            // The list that named the path or brought it, or the list itself.
  };
  struct List {
    PathList paths;
    bool any = false;  // It has given a path.
    // What directories of the list have brought, and the list has not named since; see key_of.
    std::set<std::string> brought{};
  };

  // What comes next: a step to be made, an item to be returned, or neither.
  enum class Taken : std::uint8_t { step, item, nothing };
  Taken take(Step& step, Item& item);
  Taken take_path(const Step& list, Step& path, Item& item);
  Item step(std::uint64_t bytes_max, bool read);
  bool visit(const Step& step, std::uint64_t bytes_max, bool read, Item& item);
  bool expand(const Step& step, Item& failed);
  bool listed_before(const Step& step);

  std::vector<Step> stack_;  // What is not done yet, the next one last.
  std::vector<List> lists_;
  std::uint64_t items_ = 0;  // Items returned so far.
};

// Returns the number of items that `inputs` stand for; items of lists are not counted.
std::uint64_t count_files(const std::vector<Input>& inputs);

// Reads one regular file as an item.
Item read_image(const std::filesystem::path& path, std::uint64_t bytes_max);

}  // namespace producer
