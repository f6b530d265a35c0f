// runtime/security: any file is either keys or a ConfigError of one line without the secret.

#include <string>

#include "runtime/config/config_error.h"
#include "runtime/security/keyring.h"
#include "runtime/security/keys.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/memory_file.h"
#include "wire/check.h"

namespace {

void check(const runtime::ConfigError& error) {
  COLLAGE_CHECK(std::string(error.what()).find('\n') == std::string::npos);
}

void read_public(const fuzz::MemoryFile& file) {
  try {
    const auto keys = runtime::read_public_keys(file.path(), runtime::kKeysOfNameMax);
    COLLAGE_CHECK(!keys.empty() && keys.size() <= runtime::kKeysOfNameMax);
    for (const runtime::PublicKey& key : keys) {
      COLLAGE_CHECK(runtime::PublicKey::parse(key.text()) == key);
    }
  } catch (const runtime::ConfigError& error) {
    check(error);
  }
}

void read_pair(const fuzz::MemoryFile& file) {
  try {
    const runtime::KeyPair pair = runtime::read_key_pair(file.path());
    COLLAGE_CHECK(pair.secret.text().size() == runtime::kKeyTextBytes);
  } catch (const runtime::ConfigError& error) {
    check(error);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const bool shared = input.flag();
  const fuzz::MemoryFile file(input.rest());
  shared ? read_public(file) : read_pair(file);
  return 0;
}
