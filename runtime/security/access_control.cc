#include "runtime/security/access_control.h"

#include <algorithm>

namespace runtime {
namespace {

using Role = KeyName::Role;
using wire::Message;

template <class... Kinds>
bool is_one_of(const Message& message) {
  return (std::holds_alternative<Kinds>(message) || ...);
}

bool hello_as(const Message& message, std::initializer_list<wire::Role> roles) {
  const auto* hello = std::get_if<wire::WorkerHello>(&message);
  return hello != nullptr && std::ranges::find(roles, hello->role) != roles.end();
}

bool may_send(LinkName link, Role role, const Message& message) {
  if (!admits(link, role)) return false;
  // Undecodable must pass: a peer of another protocol version gets a Refuse that names ours, and
  // that answer is the machine's.
  if (is_one_of<wire::StatusRequest, wire::Undecodable>(message)) return true;
  switch (link) {
    case LinkName::producers:
      return is_one_of<wire::ProducerHello, wire::Submit, wire::Cancel>(message);
    case LinkName::workers:
      if (is_one_of<wire::Ready>(message)) return true;
      if (role == Role::sink) {
        return hello_as(message, {wire::Role::sink}) ||
               is_one_of<wire::SlotSettled, wire::Disagreement, wire::ServiceTimes>(message);
      }
      return hello_as(message, {wire::Role::classifier, wire::Role::assembler});
    case LinkName::answers:
      return role == Role::stage &&
             is_one_of<wire::Answer, wire::CollageAnswer, wire::CollagePicture>(message);
    case LinkName::collage:
      return hello_as(message, {wire::Role::collage}) || is_one_of<wire::Ready>(message);
    case LinkName::any:
      return false;
  }
  return false;
}

// Returns the id of the process that the message claims to come from, if it claims one.
std::optional<std::pair<std::uint64_t, std::uint64_t>> claimed(const Message& message) {
  const auto pair = [](const auto& id) { return std::pair(id.high, id.low); };
  if (const auto* hello = std::get_if<wire::ProducerHello>(&message)) return pair(hello->producer);
  if (const auto* hello = std::get_if<wire::WorkerHello>(&message)) return pair(hello->worker);
  if (const auto* answer = std::get_if<wire::Answer>(&message)) return pair(answer->worker);
  if (const auto* answer = std::get_if<wire::CollageAnswer>(&message)) return pair(answer->worker);
  return std::nullopt;
}

}  // namespace

std::optional<AccessControl::Denial> AccessControl::check(LinkName link, const KeyName* who,
                                                          const wire::Message& message) {
  if (who == nullptr) return Denial::unknown_key;
  if (!may_send(link, who->role, message)) return Denial::wrong_kind;
  const auto id = claimed(message);
  if (id && !claim(*who, *id)) return Denial::foreign_id;
  return std::nullopt;
}

// Binds the id to the name, or refreshes the binding; false if another name has the id.
bool AccessControl::claim(const KeyName& name, LongId id) {
  const auto known = owners_.find(id);
  if (known != owners_.end()) {
    if (known->second.name != name) return false;
    ids_[name].erase(known->second.last_use);
  } else {
    make_room(name);
  }
  // The id becomes the name's most recently used one.
  owners_[id] = {name, ++uses_};
  ids_[name].emplace(uses_, id);
  return true;
}

void AccessControl::forget(const KeyName& name, std::uint64_t last_use) {
  const auto of_name = ids_.find(name);
  const auto id = of_name->second.find(last_use);
  owners_.erase(id->second);
  of_name->second.erase(id);
  if (of_name->second.empty()) ids_.erase(of_name);
}

void AccessControl::make_room(const KeyName& name) {
  if (const auto own = ids_.find(name); own != ids_.end()) {
    if (own->second.size() >= policy_.ids_per_name_max) forget(name, own->second.begin()->first);
    return;
  }
  if (ids_.size() < policy_.names_max) return;
  // At most kAllowedMax names are allowed at a time, so a full table holds names whose keys were
  // removed.  The name that has been silent for longest makes room.
  const auto silent = std::ranges::min_element(
      ids_, {}, [](const auto& of_name) { return of_name.second.rbegin()->first; });
  for (const auto& [last_use, id] : silent->second) owners_.erase(id);
  ids_.erase(silent);
}

std::string_view to_string(AccessControl::Denial denial) {
  switch (denial) {
    case AccessControl::Denial::unknown_key:
      return "its key is not allowed";
    case AccessControl::Denial::wrong_kind:
      return "its key does not allow this message on this link";
    case AccessControl::Denial::foreign_id:
      return "the id belongs to another key";
  }
  return "unknown";
}

}  // namespace runtime
