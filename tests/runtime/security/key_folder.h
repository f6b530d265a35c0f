// A folder of keys for a test, gone with it.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "runtime/security/keys.h"

namespace runtime_test {

class KeyFolder {
 public:
  KeyFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "keys-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no folder for keys");
    path_ = name;
  }
  ~KeyFolder() { std::filesystem::remove_all(path_); }
  KeyFolder(const KeyFolder&) = delete;
  KeyFolder& operator=(const KeyFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

  // <owner>.secret; replaces what was there.
  void own(const std::string& owner, const runtime::KeyPair& pair) const {
    std::filesystem::remove(path_ / (owner + ".secret"));
    runtime::write_key_pair(path_ / (owner + ".secret"), pair);
  }
  // <file>.public, as broker or allowed/stages/h1; replaces what was there.
  void trust(const std::string& file, const std::vector<runtime::PublicKey>& keys) const {
    const std::filesystem::path path = path_ / (file + ".public");
    std::filesystem::create_directories(path.parent_path());
    std::ofstream out(path);
    for (const runtime::PublicKey& key : keys) out << key.text() << "\n";
  }
  void remove(const std::string& file) const { std::filesystem::remove(path_ / file); }

 private:
  std::filesystem::path path_;
};

}  // namespace runtime_test
