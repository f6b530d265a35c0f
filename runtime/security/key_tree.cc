#include "runtime/security/key_tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "runtime/config/config_error.h"
#include "runtime/security/keyring.h"

namespace runtime {
namespace {

namespace fs = std::filesystem;

// A host's name becomes the name of a folder and of files, so it must not contain a '/' or begin
// with a dot.
void check_name(const std::string& name) {
  constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  const bool plain = name.find_first_not_of(kAllowed) == name.npos;
  if (name.empty() || name.front() == '.' || name.size() > 64 || !plain) {
    throw ConfigError(
        in_quotes(name) +
        ": is not a host name, expected letters, digits, '-', '_' and '.', at most 64");
  }
}

class Tree {
 public:
  explicit Tree(fs::path folder) : folder_(std::move(folder)) {}

  // Returns the public half of a host's own pair; makes the pair if the host has none.
  PublicKey own(const std::string& host, KeyOwner owner) {
    const fs::path file = secret_of(host, owner);
    if (has(host, owner)) return read_key_pair(file).shared;
    make_folder(file.parent_path(), fs::perms::owner_all);
    const KeyPair pair = new_key_pair();
    write_key_pair(file, pair);
    ++written_;
    return pair.shared;
  }

  // Throws ConfigError if both hosts have a pair of `owner`, and not the same.
  void expect_one_pair(const std::string& one, const std::string& other, KeyOwner owner) const {
    if (!has(one, owner) || !has(other, owner)) return;
    const fs::path file = secret_of(other, owner);
    if (read_key_pair(secret_of(one, owner)).shared == read_key_pair(file).shared) return;
    throw ConfigError(file.string() + ": is another pair than that of " + one);
  }

  // Gives the pair of `owner` that `from` has to the host `to` as well, if that has none.
  void share(const std::string& from, const std::string& to, KeyOwner owner) {
    if (has(to, owner)) return;
    const KeyPair pair = read_key_pair(secret_of(from, owner));
    const fs::path file = secret_of(to, owner);
    make_folder(file.parent_path(), fs::perms::owner_all);
    write_key_pair(file, pair);
    ++written_;
  }

  bool has(const std::string& host, KeyOwner owner) const {
    std::error_code ignored;
    return fs::exists(secret_of(host, owner), ignored);
  }

  // Whether one of the files of host/folder holds the key, under whatever name.
  bool allows(const std::string& host, const std::string& folder, const PublicKey& key) const {
    std::error_code ignored;
    for (const auto& file : fs::directory_iterator(folder_ / host / folder, ignored)) {
      const auto known = read_public_keys(file.path(), kKeysOfNameMax);
      if (std::ranges::find(known, key) != known.end()) return true;
    }
    return false;
  }

  // Writes a key to host/name.public.  A file with another key is an error, not overwritten: it may
  // hold both keys of a replacement under way.
  void allow(const std::string& host, const std::string& name, const PublicKey& key) {
    const fs::path file = folder_ / host / (name + ".public");
    std::error_code ignored;
    if (fs::exists(file, ignored)) {
      const auto known = read_public_keys(file, kKeysOfNameMax);
      if (std::ranges::find(known, key) != known.end()) return;
      throw ConfigError(file.string() + ": exists without the key " + key.text());
    }
    make_folder(file.parent_path(), fs::perms::owner_all);
    write_public_key(file, key);
    ++written_;
  }

  std::size_t written() const { return written_; }

 private:
  fs::path secret_of(const std::string& host, KeyOwner owner) const {
    return folder_ / host / (std::string(to_string(owner)) + ".secret");
  }

  static void make_folder(const fs::path& folder, fs::perms perms) {
    std::error_code error;
    if (fs::create_directories(folder, error)) fs::permissions(folder, perms, error);
    if (error) throw ConfigError(folder.string() + ": cannot be created: " + error.message());
  }

  const fs::path folder_;
  std::size_t written_ = 0;
};

using Keys = std::vector<std::pair<std::string, PublicKey>>;  // Each host with its key.

Keys own_keys(Tree& tree, const std::vector<std::string>& hosts, KeyOwner owner) {
  Keys keys;
  for (const std::string& host : hosts) keys.emplace_back(host, tree.own(host, owner));
  return keys;
}

void allow(Tree& tree, const std::string& host, const std::string& role, const Keys& keys) {
  for (const auto& [name, key] : keys) tree.allow(host, "allowed/" + role + "/" + name, key);
}

std::size_t count(const Keyring& keyring, KeyName::Role role) {
  return static_cast<std::size_t>(std::ranges::count_if(
      keyring.allowed, [role](const auto& each) { return each.second.role == role; }));
}

}  // namespace

std::size_t make_key_tree(const fs::path& folder, const KeyHosts& hosts) {
  // All names are checked before the first file is written.
  check_name(hosts.broker);
  if (hosts.sinks.empty()) throw ConfigError("no host of a sink, expected one at least");
  for (const std::string& name : hosts.sinks) check_name(name);
  for (const std::string& name : hosts.stages) check_name(name);
  for (const std::string& name : hosts.producers) check_name(name);
  if (!hosts.assembler.empty() &&
      std::ranges::find(hosts.stages, hosts.assembler) == hosts.stages.end()) {
    throw ConfigError(in_quotes(hosts.assembler) +
                      ": is not one of the stages, expected the assembler's host among them");
  }
  Tree tree(folder);
  // Of sinks that were made before, the first has the pair of all; the order of the list may
  // change.
  const auto made = std::ranges::find_if(
      hosts.sinks, [&](const std::string& host) { return tree.has(host, KeyOwner::sink); });
  const std::string& first_sink = made == hosts.sinks.end() ? hosts.sinks.front() : *made;
  for (const std::string& host : hosts.sinks)
    tree.expect_one_pair(first_sink, host, KeyOwner::sink);
  const PublicKey broker = tree.own(hosts.broker, KeyOwner::broker);
  const PublicKey sink = tree.own(first_sink, KeyOwner::sink);
  const Keys stages = own_keys(tree, hosts.stages, KeyOwner::stage);
  const Keys producers = own_keys(tree, hosts.producers, KeyOwner::producer);

  allow(tree, hosts.broker, "producers", producers);
  allow(tree, hosts.broker, "stages", stages);
  // Under one name: a broker refuses to start with a key under two.
  if (!tree.allows(hosts.broker, "allowed/sinks", sink)) {
    allow(tree, hosts.broker, "sinks", {{first_sink, sink}});
  }
  for (const std::string& host : hosts.sinks) {
    tree.share(first_sink, host, KeyOwner::sink);
    // Producers may ask a sink for its status.
    allow(tree, host, "producers", producers);
    allow(tree, host, "stages", stages);
    tree.allow(host, "broker", broker);
  }
  for (const auto& [host, key] : stages) {
    tree.allow(host, "broker", broker);
    tree.allow(host, "sink", sink);
    if (host == hosts.assembler) {
      for (const auto& [other, ignored] : stages) tree.allow(other, "assembler", key);
      allow(tree, host, "stages", stages);
    }
  }
  for (const auto& [host, key] : producers) {
    tree.allow(host, "broker", broker);
    tree.allow(host, "sink", sink);
  }
  return tree.written();
}

std::string describe_keys(const fs::path& folder) {
  std::string text;
  for (const KeyOwner owner :
       {KeyOwner::broker, KeyOwner::sink, KeyOwner::stage, KeyOwner::producer}) {
    std::error_code ignored;
    if (!fs::exists(folder / (std::string(to_string(owner)) + ".secret"), ignored)) continue;
    const KeyStore store(folder, owner);
    store.require_servers();
    const auto keyring = store.now();
    text += fmt::format(
        "{} has {}, trusts {} of the broker and {} of the sink, allows {} of producers, {} of "
        "stages, {} of sinks\n",
        to_string(owner), keyring->own.shared.text(), keyring->broker.size(), keyring->sink.size(),
        count(*keyring, KeyName::Role::producer), count(*keyring, KeyName::Role::stage),
        count(*keyring, KeyName::Role::sink));
  }
  if (text.empty()) throw ConfigError(folder.string() + ": has no secret key");
  return text;
}

}  // namespace runtime
