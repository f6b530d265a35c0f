// Files that appear whole or not at all.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace models {

// Calls write(temporary path) and renames the result to `file`, making folders as needed.  What
// write throws goes through, and `file` is as it was.
void write_by_rename(const std::filesystem::path& file,
                     const std::function<void(const std::string&)>& write);

// The same for a text.  Throws std::runtime_error naming the file if it cannot be written.
void write_text(const std::filesystem::path& file, const std::string& text);

}  // namespace models
