#include "tests/scenario/world.h"

#include <algorithm>
#include <stdexcept>

#include "tests/scenario/transcript.h"

namespace scenario {
namespace {

// A connection's id: its node and which of the node's lives it belongs to.
constexpr std::uint64_t kLives = 1000;

std::string text_of(const wire::Payload& payload) {
  return {payload.bytes().begin(), payload.bytes().end()};
}

wire::Payload payload_of(const std::string& text) {
  return wire::Payload(wire::Payload::Bytes(text.begin(), text.end()));
}

}  // namespace

void World::add(const std::string& name, Maker maker, wire::Duration service) {
  index_[name] = nodes_.size();
  Node node;
  node.name = name;
  node.maker = std::move(maker);
  node.service = service;
  nodes_.push_back(std::move(node));
}

void World::connect(const std::string& from, std::uint32_t here, const std::string& to,
                    std::uint32_t there) {
  nodes_[index_.at(from)].links[here] = {to, there, false};
  nodes_[index_.at(to)].links[there] = {"", 0, true};
}

machine::Machine* World::machine(const std::string& node) {
  return nodes_[index_.at(node)].machine.get();
}

void World::set_service(const std::string& node, std::optional<wire::Duration> service) {
  nodes_[index_.at(node)].service = service;
}

void World::start(const std::string& name) {
  Node& node = nodes_[index_.at(name)];
  if (node.machine) throw std::runtime_error(name + " is there already");
  node.life += 1;
  node.machine = node.maker(node.life);
}

void World::kill(const std::string& name) {
  const std::size_t dead = index_.at(name);
  Node& node = nodes_[dead];
  if (!node.machine) throw std::runtime_error(name + " is dead already");
  node.machine.reset();
  node.work.reset();
  node.done_at.reset();
  node.inbox.clear();
  for (Node& other : nodes_) {  // What it had not got rid of yet.
    if (other.machine) continue;
    std::erase_if(other.inbox, [dead](const Delivery& waiting) { return waiting.from == dead; });
  }
}

// --- time ---

std::optional<wire::Instant> World::due(const Node& node) const {
  if (!node.machine) return std::nullopt;
  return node.work ? node.done_at : node.machine->next_timeout();
}

void World::run(wire::Instant until, const std::function<void(const std::string&)>& after) {
  int turns = 0;
  while (true) {
    bool quiet = true;
    for (std::size_t node = 0; node < nodes_.size(); ++node) {
      if (!turn(node)) continue;
      quiet = false;
      after(nodes_[node].name);
    }
    if (++turns > 100'000) throw std::runtime_error("the pipeline keeps itself busy");
    if (!quiet) continue;
    std::optional<wire::Instant> next;
    for (const Node& node : nodes_) {
      if (const auto at = due(node)) next = std::min(*at, next.value_or(*at));
    }
    if (!next || *next > until) break;
    now_ = *next;
  }
  now_ = until;
}

// One thing that the node has to do now: its timers first, then its work, then its messages.
bool World::turn(std::size_t index) {
  Node& node = nodes_[index];
  if (!node.machine) return false;
  const auto at = due(node);
  if (at && *at <= now_) {
    if (!node.work) return act(index, node.machine->on_timeout(now_)), true;
    machine::Outcome what = outcome(node);
    const wire::WorkId id = node.work->id;
    node.work.reset();
    node.done_at.reset();
    return act(index, node.machine->on_done(id, std::move(what), now_)), true;
  }
  if (node.work || node.inbox.empty()) return false;
  Delivery next = std::move(node.inbox.front());
  node.inbox.pop_front();
  act(index, node.machine->on_message(next.peer, std::move(next.message), now_));
  return true;
}

void World::act(std::size_t index, machine::Actions actions) {
  Node& node = nodes_[index];
  for (const machine::LogMessage& note : actions.logs) {
    notes_.push_back(to_text(now_.since_start) + " " + node.name + ": " + note.text);
  }
  for (machine::Outgoing& out : actions.messages) send(index, std::move(out));
  if (actions.work) {
    if (node.work) throw std::runtime_error(node.name + " asks for two pieces of work at once");
    node.work = std::move(actions.work);
    if (node.service) node.done_at = now_ + *node.service;
  }
}

// --- links ---

void World::send(std::size_t from, machine::Outgoing out) {
  Node& sender = nodes_[from];
  const auto found = sender.links.find(out.to.link);
  if (found == sender.links.end()) throw std::runtime_error(sender.name + " has no such link");
  if (!found->second.many) {
    Node& server = nodes_[index_.at(found->second.to)];
    const machine::Peer peer{found->second.there, from + 1 + kLives * sender.life};
    server.inbox.push_back({from, peer, std::move(out.message)});
    return;
  }
  const std::size_t to = out.to.id % kLives - 1;
  Node& peer = nodes_.at(to);
  if (!peer.machine || peer.life != out.to.id / kLives) {
    sender.inbox.push_back({to, out.to, wire::Undelivered{}});
    return;
  }
  for (const auto& [here, link] : peer.links) {
    if (link.to != sender.name || link.there != out.to.link) continue;
    peer.inbox.push_back({from, {here, 0}, std::move(out.message)});
  }
}

// --- work ---

wire::Verdict World::look(const std::string& name, float probability) const {
  if (name.empty()) return {{}, wire::Reason::empty_image};
  const bool marked = name.back() == '?' || name.back() == '!';
  const std::string shown = marked ? name.substr(0, name.size() - 1) : name;
  const auto found = std::find(labels_.begin(), labels_.end(), shown);
  if (found == labels_.end()) return {{}, wire::Reason::not_an_image};
  return {{{{static_cast<std::uint64_t>(found - labels_.begin())}, probability}},
          wire::Reason::none};
}

machine::Outcome World::outcome(const Node& node) const {
  const wire::Duration took = node.service.value_or(wire::Duration::zero());
  if (const auto* classify = std::get_if<machine::Classify>(&node.work->job)) {
    return {look(text_of(classify->image), 0.9f), took, "s1"};
  }
  if (const auto* paste = std::get_if<machine::Paste>(&node.work->job)) {
    const std::string image = text_of(paste->image);
    const wire::Reason reason = look(image, 1).reason;
    if (reason != wire::Reason::none) return {machine::Pasted{paste->canvas, reason}, took, {}};
    std::vector<std::string> names = split(text_of(paste->canvas), '/');
    names.resize(std::max<std::size_t>(names.size(), paste->slot + std::size_t{1}));
    names[paste->slot] = image;
    std::string canvas;
    for (const std::string& name : names) canvas += name + "/";
    return {machine::Pasted{payload_of(canvas), wire::Reason::none}, took, {}};
  }
  const auto& collage = std::get<machine::ClassifyCollage>(node.work->job);
  std::vector<std::string> names = split(text_of(collage.picture), '/');
  names.resize(collage.blank.size());
  machine::Cells cells;
  for (std::size_t slot = 0; slot < names.size(); ++slot) {
    const bool unsure = names[slot].ends_with('?');
    cells.cells.push_back(collage.blank[slot]
                              ? wire::Predictions{}
                              : look(names[slot], unsure ? 0.3f : 0.8f).predictions);
    if (names[slot].ends_with('!')) {
      std::uint64_t& label = cells.cells.back().at(0).label.value;
      label = (label + 1) % labels_.size();
    }
  }
  return {std::move(cells), took, "c1"};
}

}  // namespace scenario
