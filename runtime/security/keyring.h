// The keys that one process has and trusts, read from the folder that security.keys names.
//
//     keys/broker.secret                   own pairs: of each process that runs on this host,
//          sink.secret                     the one of its kind
//          stage.secret
//          producer.secret
//          broker.public                   servers to connect to; two keys while one is replaced
//          sink.public
//          assembler.public                for an endpoints.collage that is tcp://
//          allowed/producers/NAME.public   who may connect to a server of this host
//          allowed/stages/NAME.public
//          allowed/sinks/NAME.public
//
// A secret that systemd hands over ($CREDENTIALS_DIRECTORY/broker.secret) goes before the folder's.
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

// A link of the pipeline, by the name of its endpoint in pipeline.yaml; its ZAP domain.  `any` is
// for clients that may ask broker or sink how they are: nobody listens there.
enum class LinkName : std::uint8_t { producers, workers, answers, collage, any };
std::string_view to_string(LinkName link);

// Whose own pair a process uses.
enum class KeyOwner : std::uint8_t { broker, sink, stage, producer };
std::string_view to_string(KeyOwner owner);

// A peer as its key names it: "stage h1".
struct KeyName {
  enum class Role : std::uint8_t { producer, stage, sink } role = Role::producer;
  std::string name;  // The stem of its file.
  friend auto operator<=>(const KeyName&, const KeyName&) = default;
};
std::string to_string(const KeyName& name);

// Whether a key of this role may connect to a link at all.
bool admits(LinkName link, KeyName::Role role);

inline constexpr std::size_t kServerKeysMax = 2;  // Of one server.
inline constexpr std::size_t kKeysOfNameMax = 8;  // Of one file of allowed/.
inline constexpr std::size_t kAllowedMax = 4096;  // In all.

// A value; read whole or not at all.
struct Keyring {
  std::filesystem::path folder;
  KeyPair own;
  std::vector<PublicKey> broker, sink, assembler;       // Empty where there is no file.
  std::map<std::string, KeyName, std::less<>> allowed;  // By public key.

  // What a client of this link may find there.  Empty if the folder does not say.
  std::vector<PublicKey> servers(LinkName link) const;
  // Whose public key this is; nullptr: nobody's that may connect.
  const KeyName* named(std::string_view key) const;
};

// Throws ConfigError; a file of allowed/ is wrong too if it has a key that another one has.
Keyring read_keyring(const std::filesystem::path& folder, KeyOwner owner);

// The keyring of a running process, replaced as a whole.  From any thread.
class KeyStore {
 public:
  // Throws ConfigError.
  KeyStore(const std::filesystem::path& folder, KeyOwner owner);

  std::shared_ptr<const Keyring> now() const;

  // Throws ConfigError if there is no public key of the server of this link, or of one that every
  // process of our kind needs.
  void require_server(LinkName link) const;
  void require_servers() const;

  // Reads the folder again.  Links that stand are not cut: the own pair holds as long as the
  // process, and a server's key is looked at when its handshake fails, but who is no longer allowed
  // is no longer heard.  Throws ConfigError, and nothing changes, if the public keys cannot be read
  // or no longer name a server that they named.  Returns what a restart would find of the own pair:
  // empty if it is the same, else that it is another or why it cannot be read.
  std::string refresh();

 private:
  const KeyOwner owner_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Keyring> keyring_;  // Under mutex_.
};

}  // namespace runtime
