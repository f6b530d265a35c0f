// The keys of one process: its own pair, its servers' public keys and the public keys that may
// connect to it.  They are read from the folder that security.keys names.
//
//     keys/broker.secret                   own pairs, one for each kind of process that runs on
//          sink.secret                     this host
//          stage.secret
//          producer.secret
//          broker.public                   servers to connect to: a key of each, and two while it
//                                          is replaced
//          sink.public
//          assembler.public                for an endpoints.collage that is tcp://
//          allowed/producers/NAME.public   who may connect to a server of this host
//          allowed/stages/NAME.public
//          allowed/sinks/NAME.public
//
// A secret from systemd ($CREDENTIALS_DIRECTORY/broker.secret) takes precedence over the folder's.
#pragma once

#include <compare>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/security/keys.h"

namespace runtime {

// A link of the pipeline, by the key of its endpoint in pipeline.yaml: `producers`, `workers`,
// `answers` or `collage`.  The name is also the link's ZAP domain.  It decides which server's keys
// a client trusts (Keyring::servers), which roles a server admits (admits) and which messages it
// accepts (access_control.h).  `any` is for a client that asks either broker or sink for its
// status: it trusts the keys of both, and no server has this name.
enum class LinkName : std::uint8_t { producers, workers, answers, collage, any };
std::string_view to_string(LinkName link);

// The kind of process, which decides which own pair it uses.
enum class KeyOwner : std::uint8_t { broker, sink, stage, producer };
std::string_view to_string(KeyOwner owner);

// The name of a peer's key: a role and a host, such as "stage h1".
struct KeyName {
  enum class Role : std::uint8_t { producer, stage, sink } role = Role::producer;
  std::string name;  // The name of the key's file without ".public".
  friend auto operator<=>(const KeyName&, const KeyName&) = default;
};
std::string to_string(const KeyName& name);

// Returns true if a key of this role may connect to the link.
bool admits(LinkName link, KeyName::Role role);

// Keys of a link's servers: an old and a new one of each of 16, as a producer may list them.
inline constexpr std::size_t kServerKeysMax = 32;
inline constexpr std::size_t kKeysOfNameMax = 8;  // Keys in one file of allowed/.
inline constexpr std::size_t kAllowedMax = 4096;  // Keys in all files of allowed/.

// A value, read as a whole or not at all.
struct Keyring {
  std::filesystem::path folder;
  KeyPair own;
  std::vector<PublicKey> broker, sink, assembler;       // Server keys; empty if there is no file.
  std::map<std::string, KeyName, std::less<>> allowed;  // Names of allowed peers, by public key.

  // Returns the keys of the server that a client of this link connects to; empty if the folder has
  // none.
  std::vector<PublicKey> servers(LinkName link) const;
  // Returns the name of a public key; nullptr if the key is not allowed to connect.
  const KeyName* named(std::string_view key) const;
};

// Throws ConfigError, also if two files of allowed/ have the same key.
Keyring read_keyring(const std::filesystem::path& folder, KeyOwner owner);

// The keyring of a running process, replaced as a whole.  Safe to use from any thread.
class KeyStore {
 public:
  // Throws ConfigError.
  KeyStore(const std::filesystem::path& folder, KeyOwner owner);

  std::shared_ptr<const Keyring> now() const;

  // Throw ConfigError if there is no public key of this link's server, or of one of the servers
  // that every process of this kind connects to.
  void require_server(LinkName link) const;
  void require_servers() const;

  // Reads the folder again.  Open connections are not closed: the own pair stays in use until the
  // process ends, and a new server key is used when a handshake fails.  Messages of a peer whose
  // key is no longer allowed are dropped from now on.  Throws ConfigError, and nothing changes, if
  // the public keys cannot be read or if a server's key is gone.  Returns how the own pair on disk
  // differs from the one in use (it has changed, or why it cannot be read); empty if it does not.
  std::string refresh();

 private:
  const KeyOwner owner_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Keyring> keyring_;  // Guarded by mutex_.
};

}  // namespace runtime
