// CURVE keys as values and as files.
//
// Both kinds of file are text, and a key is 40 characters of Z85.  Empty lines and lines that begin
// with "# " are ignored.
//
//     broker.public       one key per line: of each broker, two while the old one is being replaced
//
//     broker.secret       public K9x&...
//                         secret 2jt^...
//
// A secret is never written to a log, an error or a command line, and its memory is wiped.
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
  // Returns nullopt if the text is not a key, or is a key from ZeroMQ's manual, whose secret half
  // is printed there.
  static std::optional<PublicKey> parse(std::string_view z85);

  const std::string& text() const { return text_; }
  friend auto operator<=>(const PublicKey&, const PublicKey&) = default;

 private:
  explicit PublicKey(std::string_view text) : text_(text) {}

  std::string text_;
};

// A secret key as text.  It can be moved but not copied, and is wiped when moved or destroyed.
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

// Makes a new random pair.
KeyPair new_key_pair();

// Whether the permissions of a secret's file are checked.  `own`: they must keep other users out.
// `credential`: not checked, because systemd protects the credentials that it passes and may show
// any mode for them (systemd.exec(5)).
enum class SecretPlace : std::uint8_t { own, credential };

// Reads a pair.  Throws ConfigError if the file has none or its two halves do not belong together;
// for an own file also if neither we nor root own it, or if others may read it.
KeyPair read_key_pair(const std::filesystem::path& file, SecretPlace place = SecretPlace::own);

// Reads at least one and at most `keys_max` public keys.  Throws ConfigError.
std::vector<PublicKey> read_public_keys(const std::filesystem::path& file, std::size_t keys_max);

// Write a new file, as a whole or not at all, with mode 0400 or 0444.  Throw ConfigError if the
// file exists already.
void write_key_pair(const std::filesystem::path& file, const KeyPair& pair);
void write_public_key(const std::filesystem::path& file, const PublicKey& key);

}  // namespace runtime
