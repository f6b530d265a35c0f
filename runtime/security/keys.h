// CURVE keys as values and as files.
//
// Both kinds of file are text, a key being 40 characters of Z85; empty lines and lines that begin
// with "# " say nothing.
//
//     broker.public       a key a line, two while the old one is being replaced
//
//     broker.secret       public K9x&...
//                         secret 2jt^...
//
// A secret never reaches a log, an error or a command line, and its memory is wiped.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace runtime {

inline constexpr std::size_t kKeyTextBytes = 40;

// A public key as text.
class PublicKey {
 public:
  // nullopt if this is no key, or the well-known one of the manuals, whose secret is printed there.
  static std::optional<PublicKey> parse(std::string_view z85);

  const std::string& text() const { return text_; }
  friend auto operator<=>(const PublicKey&, const PublicKey&) = default;

 private:
  explicit PublicKey(std::string_view text) : text_(text) {}

  std::string text_;
};

// A secret key as text, in one place of memory only.
class SecretKey {
 public:
  // Requires kKeyTextBytes characters.
  explicit SecretKey(std::string_view z85);
  ~SecretKey();
  SecretKey(SecretKey&& other) noexcept;
  SecretKey& operator=(SecretKey&& other) noexcept;

  std::string_view text() const { return {text_.data(), text_.size()}; }

 private:
  std::array<char, kKeyTextBytes> text_{};
};

struct KeyPair {
  PublicKey shared;
  SecretKey secret;
};

// A pair that nobody has.
KeyPair new_key_pair();

// Whose file permissions are looked at: an own one's must keep others out; systemd sees to those of
// the credentials it hands over, which show as it likes (systemd.exec(5)).
enum class SecretPlace : std::uint8_t { own, credential };

// Reads a pair.  Throws ConfigError if there is none, its two halves do not belong together, or,
// for an own file, if it is not ours or root's or others may read it.
KeyPair read_key_pair(const std::filesystem::path& file, SecretPlace place = SecretPlace::own);

// Reads public keys, one at least, `keys_max` at most.  Throws ConfigError.
std::vector<PublicKey> read_public_keys(const std::filesystem::path& file, std::size_t keys_max);

// Writes files that were not there: whole or not at all, 0400 and 0444.  Throw ConfigError if there
// is one already.
void write_key_pair(const std::filesystem::path& file, const KeyPair& pair);
void write_public_key(const std::filesystem::path& file, const PublicKey& key);

}  // namespace runtime
