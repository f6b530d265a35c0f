#include "runtime/security/zap.h"

#include <zmq.h>

#include <array>
#include <optional>

#include "runtime/config/config_error.h"

namespace runtime {
namespace {

constexpr std::size_t kFrames = 7;
enum Frame : std::size_t { version, request, domain, address, identity, mechanism, key };
constexpr std::size_t kCurveKeyBytes = 32;

std::optional<LinkName> link_name_of(const std::string& name) {
  for (const LinkName link :
       {LinkName::producers, LinkName::workers, LinkName::answers, LinkName::collage}) {
    if (to_string(link) == name) return link;
  }
  return std::nullopt;
}

std::string z85(const std::string& bytes) {
  std::array<char, kKeyTextBytes + 1> text{};
  zmq_z85_encode(text.data(), reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  return text.data();
}

// Returns an empty text if the peer is admitted.
std::string refusal_reason(std::span<const std::string> frames, const Keyring& keyring) {
  if (frames.size() != kFrames || frames[version] != "1.0") return "not a request of ZAP 1.0";
  if (frames[mechanism] != "CURVE") return "the peer has no key";
  if (frames[key].size() != kCurveKeyBytes) return "the key does not have 32 bytes";
  const auto link = link_name_of(frames[domain]);
  if (!link) return "unknown domain " + in_quotes(frames[domain]);
  const KeyName* name = keyring.named(z85(frames[key]));
  if (name == nullptr) return "unknown key " + z85(frames[key]);
  if (!admits(*link, name->role)) {
    return "the key of " + to_string(*name) + " is not for the " + frames[domain] + " link";
  }
  return {};
}

}  // namespace

ZapAnswer answer_zap(std::span<const std::string> frames, const Keyring& keyring) {
  ZapAnswer answer;
  answer.why = refusal_reason(frames, keyring);
  answer.admitted = answer.why.empty();
  if (frames.size() > address) answer.address = printable(frames[address]);
  // The reply carries the id of the request, even of a malformed one.
  const std::string id = frames.size() > request ? frames[request] : "";
  if (answer.admitted) {
    answer.frames = {"1.0", id, "200", "OK", z85(frames[key]), ""};
  } else {
    answer.frames = {"1.0", id, "400", "not allowed", "", ""};
  }
  return answer;
}

}  // namespace runtime
