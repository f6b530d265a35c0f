#include "runtime/security/keyring.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "runtime/config/config_error.h"
#include "wire/check.h"

namespace runtime {
namespace {

namespace fs = std::filesystem;
using Role = KeyName::Role;

// systemd's credentials come first, so a host that uses them needs no secret in the folder.
KeyPair read_own(const fs::path& folder, KeyOwner owner) {
  const std::string name = std::string(to_string(owner)) + ".secret";
  if (const char* credentials = std::getenv("CREDENTIALS_DIRECTORY")) {
    const fs::path handed = fs::path(credentials) / name;
    std::error_code ignored;
    if (fs::exists(handed, ignored)) return read_key_pair(handed, SecretPlace::credential);
  }
  return read_key_pair(folder / name);
}

// A file that does not exist is no error here: KeyStore::require_servers knows which are needed.
std::vector<PublicKey> read_server(const fs::path& folder, const char* name) {
  const fs::path file = folder / (std::string(name) + ".public");
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return {};
  return read_public_keys(file, kServerKeysMax);
}

// Returns the files named NAME.public in order of name, so that errors do not depend on the order
// of the directory.
std::vector<fs::path> public_files(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator each(folder, error), end; !error && each != end;
       each.increment(error)) {
    const fs::path& path = each->path();
    if (path.extension() == ".public" && !path.stem().empty()) files.push_back(path);
    if (files.size() > kAllowedMax) break;  // One more than allowed is enough for the error.
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    throw ConfigError(folder.string() + ": cannot be read: " + error.message());
  }
  std::ranges::sort(files);
  return files;
}

void read_allowed(Keyring& keyring, const char* folder, Role role) {
  for (const fs::path& file : public_files(keyring.folder / "allowed" / folder)) {
    const KeyName name{role, printable(file.stem().string())};
    for (const PublicKey& key : read_public_keys(file, kKeysOfNameMax)) {
      const auto [known, fresh] = keyring.allowed.emplace(key.text(), name);
      // A key with two names would have two roles or two sets of ids.
      if (!fresh) {
        throw ConfigError(file.string() + ": has a key of " + to_string(known->second) +
                          ", expected each key under one name");
      }
    }
    if (keyring.allowed.size() > kAllowedMax) {
      throw ConfigError(file.string() + ": is one key too many, expected at most " +
                        std::to_string(kAllowedMax) + " in all");
    }
  }
}

const char* server_name(LinkName link) {
  if (link == LinkName::answers) return "sink";
  return link == LinkName::collage ? "assembler" : "broker";
}

// Reads everything but the process's own pair, which the caller passes in.
Keyring read_around(KeyPair own, const fs::path& folder) {
  Keyring keyring{folder,
                  std::move(own),
                  read_server(folder, "broker"),
                  read_server(folder, "sink"),
                  read_server(folder, "assembler"),
                  {}};
  read_allowed(keyring, "producers", Role::producer);
  read_allowed(keyring, "stages", Role::stage);
  read_allowed(keyring, "sinks", Role::sink);
  return keyring;
}

// Returns how the pair on disk differs from the one in use; empty if it does not.
std::string change_of(const KeyPair& own, const fs::path& folder, KeyOwner owner) {
  try {
    return read_own(folder, owner).shared == own.shared ? "" : "our own key has changed";
  } catch (const ConfigError& error) {
    return error.what();
  }
}

// A reload must not leave a client without a server key: its next connection could not be made.
void require_same_servers(const Keyring& old, const Keyring& fresh) {
  for (const LinkName link : {LinkName::workers, LinkName::answers, LinkName::collage}) {
    if (!old.servers(link).empty() && fresh.servers(link).empty()) {
      throw ConfigError((fresh.folder / server_name(link)).string() + ".public: is gone");
    }
  }
}

}  // namespace

std::string_view to_string(LinkName link) {
  switch (link) {
    case LinkName::producers:
      return "producers";
    case LinkName::workers:
      return "workers";
    case LinkName::answers:
      return "answers";
    case LinkName::collage:
      return "collage";
    case LinkName::any:
      return "any";
  }
  return "unknown";
}

std::string_view to_string(KeyOwner owner) {
  switch (owner) {
    case KeyOwner::broker:
      return "broker";
    case KeyOwner::sink:
      return "sink";
    case KeyOwner::stage:
      return "stage";
    case KeyOwner::producer:
      return "producer";
  }
  return "unknown";
}

std::string to_string(const KeyName& name) {
  const char* role = name.role == Role::producer ? "producer "
                     : name.role == Role::stage  ? "stage "
                                                 : "sink ";
  return role + name.name;
}

bool admits(LinkName link, Role role) {
  switch (link) {
    case LinkName::producers:
      return role == Role::producer;
    case LinkName::workers:
      return role == Role::stage || role == Role::sink;
    case LinkName::answers:
      return role == Role::stage || role == Role::producer;
    case LinkName::collage:
      return role == Role::stage;
    case LinkName::any:
      return false;
  }
  return false;
}

std::vector<PublicKey> Keyring::servers(LinkName link) const {
  if (link == LinkName::answers) return sink;
  if (link == LinkName::collage) return assembler;
  std::vector<PublicKey> keys = broker;
  if (link == LinkName::any) keys.insert(keys.end(), sink.begin(), sink.end());
  return keys;
}

const KeyName* Keyring::named(std::string_view key) const {
  const auto found = allowed.find(key);
  return found == allowed.end() ? nullptr : &found->second;
}

Keyring read_keyring(const fs::path& folder, KeyOwner owner) {
  return read_around(read_own(folder, owner), folder);
}

KeyStore::KeyStore(const fs::path& folder, KeyOwner owner)
    : owner_(owner), keyring_(std::make_shared<Keyring>(read_keyring(folder, owner))) {}

std::shared_ptr<const Keyring> KeyStore::now() const {
  const std::lock_guard lock(mutex_);
  return keyring_;
}

void KeyStore::require_server(LinkName link) const {
  const auto keyring = now();
  if (!keyring->servers(link).empty()) return;
  throw ConfigError((keyring->folder / server_name(link)).string() + ".public: is missing");
}

void KeyStore::require_servers() const {
  if (owner_ != KeyOwner::broker) require_server(LinkName::workers);
  // A stage sends its answers to the sink; a producer reaches the sink only for its status.
  if (owner_ == KeyOwner::stage) require_server(LinkName::answers);
}

std::string KeyStore::refresh() {
  const auto old = now();
  // The own pair is not replaced: sockets that are open use the old one.
  KeyPair own{old->own.shared, SecretKey(old->own.secret.text())};
  auto fresh = std::make_shared<Keyring>(read_around(std::move(own), old->folder));
  require_same_servers(*old, *fresh);
  std::string change = change_of(old->own, old->folder, owner_);
  // Locked only for the exchange, so that now() never waits for a file.
  const std::lock_guard lock(mutex_);
  keyring_ = std::move(fresh);
  return change;
}

}  // namespace runtime
