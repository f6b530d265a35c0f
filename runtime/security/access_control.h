// Decides by the sender's key whether a message is accepted: which messages a role may send on
// which link, and which process ids a key may use.
//
//     link        role        messages
//     producers   a producer  ProducerHello, Submit, Cancel, StatusRequest
//     workers     a stage     WorkerHello as classifier or assembler, Ready, StatusRequest
//                 a sink      WorkerHello as sink, Ready, SlotSettled, Disagreement, ServiceTimes,
//                             StatusRequest
//     answers     a stage     Answer, CollageAnswer, CollagePicture, StatusRequest
//                 a producer  StatusRequest
//     collage     a stage     WorkerHello as collage, Ready, StatusRequest
//
// A role that may use a link at all may also send what cannot be decoded, so that the machine can
// answer it with the reason.
//
// A ProducerId or WorkerId belongs to the name that used it first, until that name has used
// `ids_per_name_max` other ids since.  So a peer that sends a flood of ids displaces only its own.
// All keys of one host have one name, whatever processes run there.
//
// Pure: no sockets, no clock.  Not safe for concurrent use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "runtime/security/keyring.h"
#include "wire/message.h"

namespace runtime {

class AccessControl {
 public:
  // `names_max` bounds the names that are remembered.  No more than kAllowedMax are allowed at a
  // time, so that at the bound a name that is no longer allowed makes room.
  struct Policy {
    std::size_t ids_per_name_max = 1024;
    std::size_t names_max = kAllowedMax;
  };
  explicit AccessControl(Policy policy) : policy_(policy) {}

  enum class Denial : std::uint8_t {
    unknown_key,  // The sender's key is not allowed, or no longer.
    wrong_kind,   // The sender's role may not send this kind of message on this link.
    foreign_id,   // The id in the message belongs to another name.
  };
  // Returns why a message must be dropped; nullopt if it is accepted.  `who` is the name of the
  // sender's key, nullptr if the key is not known.
  std::optional<Denial> check(LinkName link, const KeyName* who, const wire::Message& message);

 private:
  using LongId = std::pair<std::uint64_t, std::uint64_t>;
  struct Owner {
    KeyName name;
    std::uint64_t last_use;  // The value of uses_ when the name last used the id.
  };

  bool claim(const KeyName& name, LongId id);
  void forget(const KeyName& name, std::uint64_t last_use);
  void make_room(const KeyName& name);

  const Policy policy_;
  std::uint64_t uses_ = 0;  // Counts accepted uses of ids; orders them without a clock.
  std::map<LongId, Owner> owners_;
  std::map<KeyName, std::map<std::uint64_t, LongId>> ids_;  // The ids of each name, by last use.
};

std::string_view to_string(AccessControl::Denial denial);

}  // namespace runtime
