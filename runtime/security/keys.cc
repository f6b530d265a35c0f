#include "runtime/security/keys.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <span>
#include <utility>

#include "runtime/config/config_error.h"
#include "wire/check.h"

namespace runtime {
namespace {

constexpr std::size_t kFileBytesMax = 4096;  // Eight keys of 41 bytes, with room for comments.
constexpr std::size_t kKeyBytes = 32;
// The public keys of the pairs that ZeroMQ's manual prints as examples (zmq_curve(7)): anybody may
// know their secret halves.
constexpr std::string_view kWellKnown[] = {"Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID",
                                           "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"};

[[noreturn]] void fail(const std::filesystem::path& file, const std::string& what) {
  throw ConfigError(file.string() + ": " + what);
}

// The text of a file of keys.  It is read into an array and not a std::string, because a string may
// leave copies of the secret behind when it grows; the array is wiped at the end.
class KeyText {
 public:
  explicit KeyText(int descriptor) {
    for (ssize_t got = 1; got != 0 && size_ < text_.size();) {
      got = read(descriptor, text_.data() + size_, text_.size() - size_);
      if (got < 0 && errno != EINTR) return;
      if (got > 0) size_ += static_cast<std::size_t>(got);
    }
    whole_ = size_ < text_.size();
  }
  ~KeyText() { explicit_bzero(text_.data(), text_.size()); }
  KeyText(const KeyText&) = delete;
  KeyText& operator=(const KeyText&) = delete;

  bool whole() const { return whole_; }
  std::string_view text() const { return {text_.data(), size_}; }

 private:
  std::array<char, kFileBytesMax> text_{};
  std::size_t size_ = 0;
  bool whole_ = false;
};

class Descriptor {
 public:
  Descriptor(const std::filesystem::path& file, int flags, mode_t mode = 0)
      : number_(open(file.c_str(), flags | O_CLOEXEC, mode)) {}
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int number() const { return number_; }

 private:
  int number_;
};

// Checks the open file and not its name, which may by now be another file's.
void check_file(const std::filesystem::path& file, int descriptor, bool secret, SecretPlace place) {
  struct stat found {};
  COLLAGE_CHECK(fstat(descriptor, &found) == 0);
  if (!S_ISREG(found.st_mode)) fail(file, "is not a regular file");
  if (!secret || place == SecretPlace::credential) return;
  const bool owned = found.st_uid == geteuid() || found.st_uid == 0 || geteuid() == 0;
  if (!owned) fail(file, "belongs to another user, expected this user or root as its owner");
  if ((found.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    fail(file, "may be used by others, expected mode 0400 or 0600");
  }
}

// Calls `line` with the text and the number of each line that is neither empty nor a comment.
void read_lines(const std::filesystem::path& file, bool secret, SecretPlace place,
                const std::function<void(std::string_view, int)>& line) {
  // O_NONBLOCK, because opening a FIFO would otherwise wait for a writer; check_file refuses it.
  const Descriptor descriptor(file, O_RDONLY | O_NONBLOCK);
  if (descriptor.number() < 0) fail(file, std::string("cannot be read: ") + std::strerror(errno));
  check_file(file, descriptor.number(), secret, place);
  const KeyText text(descriptor.number());
  if (!text.whole()) {
    fail(file, "cannot be read or is too long, expected at most " + std::to_string(kFileBytesMax) +
                   " bytes");
  }
  int number = 0;
  for (std::string_view rest = text.text(); !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view content = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    ++number;
    while (!content.empty() && (content.back() == '\r' || content.back() == ' '))
      content.remove_suffix(1);
    if (!content.empty() && content != "#" && !content.starts_with("# ")) line(content, number);
  }
}

bool decodes(std::string_view z85) {
  if (z85.size() != kKeyTextBytes) return false;
  std::array<char, kKeyTextBytes + 1> text{};
  std::ranges::copy(z85, text.begin());
  std::array<std::uint8_t, kKeyBytes> bytes{};
  const bool decoded = zmq_z85_decode(bytes.data(), text.data()) != nullptr;
  explicit_bzero(text.data(), text.size());
  explicit_bzero(bytes.data(), bytes.size());
  return decoded;
}

// Catches a file that was put together from two pairs: libzmq accepts any two halves, and then
// every handshake fails.
bool belong_together(const PublicKey& shared, const SecretKey& secret) {
  std::array<char, kKeyTextBytes + 1> text{};
  std::ranges::copy(secret.text(), text.begin());
  std::array<char, kKeyTextBytes + 1> derived{};
  const bool made = zmq_curve_public(derived.data(), text.data()) == 0;
  explicit_bzero(text.data(), text.size());
  return made && shared.text() == derived.data();
}

bool write_all(int descriptor, std::span<const std::string_view> pieces) {
  for (std::string_view piece : pieces) {
    while (!piece.empty()) {
      const ssize_t written = write(descriptor, piece.data(), piece.size());
      if (written < 0 && errno != EINTR) return false;
      if (written > 0) piece.remove_prefix(static_cast<std::size_t>(written));
    }
  }
  return fsync(descriptor) == 0;
}

// Writes a draft and links it to its name: link(2) fails if the name exists, whereas rename(2)
// would replace the file.  So a key file appears as a whole and never replaces another.
void write_new(const std::filesystem::path& file, mode_t mode,
               std::span<const std::string_view> pieces) {
  const std::filesystem::path draft = file.string() + "." + std::to_string(getpid());
  bool written = false;
  {
    const Descriptor descriptor(draft, O_WRONLY | O_CREAT | O_EXCL, mode);
    if (descriptor.number() < 0) {
      fail(file, std::string("cannot be written: ") + std::strerror(errno));
    }
    // The umask may have taken bits of the mode away.
    written = fchmod(descriptor.number(), mode) == 0 && write_all(descriptor.number(), pieces);
  }
  const bool linked = written && link(draft.c_str(), file.c_str()) == 0;
  const int error = errno;
  unlink(draft.c_str());
  if (linked) return;
  if (written && error == EEXIST) fail(file, "exists already, and keys are never overwritten");
  fail(file, std::string("cannot be written: ") + std::strerror(error));
}

}  // namespace

std::optional<PublicKey> PublicKey::parse(std::string_view z85) {
  const bool known = std::ranges::find(kWellKnown, z85) != std::end(kWellKnown);
  if (known || !decodes(z85)) return std::nullopt;
  return PublicKey(z85);
}

SecretKey::SecretKey(std::string_view z85) {
  COLLAGE_CHECK(z85.size() == kKeyTextBytes);
  std::ranges::copy(z85, text_.begin());
}

SecretKey::~SecretKey() { explicit_bzero(text_.data(), text_.size()); }

SecretKey::SecretKey(SecretKey&& other) noexcept : text_(other.text_) {
  explicit_bzero(other.text_.data(), other.text_.size());
}

SecretKey& SecretKey::operator=(SecretKey&& other) noexcept {
  if (this == &other) return *this;
  text_ = other.text_;
  explicit_bzero(other.text_.data(), other.text_.size());
  return *this;
}

KeyPair new_key_pair() {
  std::array<char, kKeyTextBytes + 1> shared{}, secret{};
  COLLAGE_CHECK(zmq_curve_keypair(shared.data(), secret.data()) == 0);
  KeyPair pair{*PublicKey::parse(shared.data()), SecretKey(secret.data())};
  explicit_bzero(secret.data(), secret.size());
  return pair;
}

KeyPair read_key_pair(const std::filesystem::path& file, SecretPlace place) {
  std::optional<PublicKey> shared;
  std::optional<SecretKey> secret;
  read_lines(file, true, place, [&](std::string_view line, int number) {
    constexpr std::string_view kPublic = "public ";
    constexpr std::string_view kSecret = "secret ";
    if (line.starts_with(kPublic) && !shared) {
      shared = PublicKey::parse(line.substr(kPublic.size()));
      if (shared) return;
    } else if (line.starts_with(kSecret) && !secret && decodes(line.substr(kSecret.size()))) {
      secret.emplace(line.substr(kSecret.size()));
      return;
    }
    throw ConfigError(file.string(), {number, 1}, "",
                      "is neither, expected 'public KEY' and 'secret KEY', each once, a KEY being "
                      "40 characters");
  });
  if (!shared || !secret) fail(file, "has no pair, expected 'public KEY' and 'secret KEY'");
  if (!belong_together(*shared, *secret)) {
    fail(file, "its public key does not belong to its secret key");
  }
  return {*std::move(shared), *std::move(secret)};
}

std::vector<PublicKey> read_public_keys(const std::filesystem::path& file, std::size_t keys_max) {
  std::vector<PublicKey> keys;
  read_lines(file, false, SecretPlace::own, [&](std::string_view line, int number) {
    const Mark mark{number, 1};
    const auto key = PublicKey::parse(line);
    if (!key) {
      throw ConfigError(file.string(), mark, "",
                        "is not a public key, expected 40 characters of Z85");
    }
    if (std::ranges::find(keys, *key) != keys.end()) {
      throw ConfigError(file.string(), mark, "", "is given twice");
    }
    if (keys.size() == keys_max) {
      throw ConfigError(file.string(), mark, "",
                        "is one key too many, expected at most " + std::to_string(keys_max));
    }
    keys.push_back(*key);
  });
  if (keys.empty()) fail(file, "has no key, expected at least one");
  return keys;
}

void write_key_pair(const std::filesystem::path& file, const KeyPair& pair) {
  write_new(file, 0400,
            std::array<std::string_view, 5>{"public ", pair.shared.text(), "\nsecret ",
                                            pair.secret.text(), "\n"});
}

void write_public_key(const std::filesystem::path& file, const PublicKey& key) {
  write_new(file, 0444, std::array<std::string_view, 2>{key.text(), "\n"});
}

}  // namespace runtime
