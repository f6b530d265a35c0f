#include "models/research/atomic_file.h"

#include <unistd.h>

#include <fstream>
#include <stdexcept>

namespace models {

void write_by_rename(const std::filesystem::path& file,
                     const std::function<void(const std::string&)>& write) {
  if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path());
  const std::filesystem::path part = file.string() + ".part" + std::to_string(getpid());
  try {
    write(part.string());
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove(part, ignored);
    throw;
  }
  std::filesystem::rename(part, file);
}

void write_text(const std::filesystem::path& file, const std::string& text) {
  write_by_rename(file, [&](const std::string& part) {
    std::ofstream out(part);
    out << text;
    if (!out.flush()) throw std::runtime_error(part + ": cannot be written");
  });
}

}  // namespace models
