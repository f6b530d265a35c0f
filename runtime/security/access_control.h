// Binds what peers say to the keys they say it with: who may say what on which link, and who a
// process may claim to be.
//
//     producers   a producer  ProducerHello, Submit, Cancel, Probe
//     workers     a stage     WorkerHello as classifier or assembler, Ready, Probe
//                 a sink      WorkerHello as sink, Ready, Settled, Corrected, Service, Probe
//     answers     a stage     Answer, CollageAnswer, Probe
//                 a producer  Probe
//     collage     a stage     WorkerHello as collage, Ready, Probe
//     anywhere    who may be there at all: what cannot be decoded, so that it is told so
//
// A ProducerId or WorkerId belongs to the name that said it first, until that name has said
// `ids_per_name_max` others since; so a peer that floods us with ids pushes out none but its own.
// The keys of one host have one name, whatever processes run there.
//
// Pure: no sockets, no clock.  Not for several threads at once.
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
  // Names are bounded by kAllowedMax at a time; those that are no longer allowed go first.
  struct Policy {
    std::size_t ids_per_name_max = 1024;
    std::size_t names_max = kAllowedMax;
  };
  explicit AccessControl(Policy policy) : policy_(policy) {}

  enum class Denial : std::uint8_t {
    unknown_key,  // Its key is not allowed, or no longer.
    wrong_kind,   // Not for one of its role to say here.
    foreign_id,   // The id is another name's.
  };
  // Why a message is not to be heard; nullopt: it may be.  `who` said it, nullptr if nobody known.
  std::optional<Denial> check(LinkName link, const KeyName* who, const wire::Message& message);

 private:
  using LongId = std::pair<std::uint64_t, std::uint64_t>;
  struct Owner {
    KeyName name;
    std::uint64_t said;  // When last, as counted by us.
  };

  bool claim(const KeyName& name, LongId id);
  void forget(const KeyName& name, std::uint64_t said);
  void make_room(const KeyName& name);

  const Policy policy_;
  std::uint64_t said_ = 0;
  std::map<LongId, Owner> owners_;
  std::map<KeyName, std::map<std::uint64_t, LongId>> ids_;  // Of each name, oldest first.
};

std::string_view to_string(AccessControl::Denial denial);

}  // namespace runtime
