#include "tests/scenario/sink_story.h"

#include <algorithm>
#include <utility>

namespace scenario {

using stages::sink::kBroker;
using stages::sink::kStages;

std::string SinkStory::run(const Command& command) {
  const std::string& name = command.name;
  if (name == "sink") return make(command), "";
  if (!sink_) command.fail("there is no sink yet");
  if (name == "advance") return advance(parse_duration(command.word(0)));
  if (name == "count") return count(command);
  if (name == "single" || name == "hedge" || name == "reject") return answer(command);
  if (name == "collage") return collage(command);
  if (name == "closed") return tell(kBroker, wire::BatchSettled{batch(command)});
  if (name == "opened") {
    return tell(kBroker, wire::BatchOpened{batch(command),
                                           static_cast<wire::Slot>(command.number("slots", 4)),
                                           command.duration("age", {}), true});
  }
  if (name == "sealed") {
    wire::BatchSealed sealed{batch(command), {}};
    for (const auto& age : split(command.text("ages"), ',')) {
      sealed.ages.push_back(parse_duration(age));
    }
    return tell(kBroker, std::move(sealed));
  }
  if (name == "welcome") {
    epoch_ = {command.number("epoch", 1)};
    return tell(kBroker, wire::Welcome{epoch_, std::chrono::hours(1), 0, 0, std::chrono::hours(1)});
  }
  command.fail("unknown command");
}

void SinkStory::make(const Command& command) {
  stages::sink::Sink::Policy policy;
  policy.joiner.open_batch_max = command.number("open_batch_max", 4);
  policy.joiner.orphan_max = command.number("orphan_max", 4);
  policy.joiner.gate = static_cast<float>(command.real("gate", 0));
  policy.joiner.classes = 100;
  policy.patience.learned = false;
  policy.patience.initial = command.duration("patience", {});
  policy.patience.max = wire::kDurationMax;
  policy.patience.worker_max = 1;
  policy.membership = {std::chrono::seconds(1), std::chrono::seconds(1)};
  sink_ = std::make_unique<stages::sink::Sink>(wire::WorkerId{4, 1}, policy);
  now_ = {};
  (void)sink_->on_timeout(now_);
  (void)tell(kBroker, wire::Welcome{epoch_, std::chrono::hours(1), 0, 0, std::chrono::hours(1)});
}

wire::BatchId SinkStory::batch(const Command& command) const {
  return {{command.number("epoch", epoch_.value)}, {command.number("batch", 1)}};
}

wire::ClassId SinkStory::label(const std::string& name) {
  const auto found = std::find(names_.begin(), names_.end(), name);
  const auto index = static_cast<std::uint64_t>(found - names_.begin());
  if (found == names_.end()) names_.push_back(name);
  return {index};
}

std::string SinkStory::answer(const Command& command) {
  const auto slots = split(command.text("slots"), ',');
  const bool rejects = command.name == "reject";
  const auto labels = split(command.text("labels", ""), ',');
  if (!rejects && labels.size() != slots.size()) command.fail("as many labels as slots, please");
  std::string out;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    wire::Answer answer;
    answer.batch = batch(command);
    answer.slot = static_cast<wire::Slot>(std::stoul(slots[i]));
    answer.hedge = command.name == "hedge";
    if (rejects) {
      answer.verdict.reason = wire::Reason::not_an_image;
    } else {
      answer.verdict.predictions = {{label(labels[i]), 0.9f}};
    }
    out += tell(kStages, std::move(answer));
  }
  return out;
}

std::string SinkStory::collage(const Command& command) {
  wire::CollageAnswer answer;
  answer.batch = batch(command);
  const auto probability = static_cast<float>(command.real("probability", 0.8));
  for (const std::string& name : split(command.text("labels"), ',')) {
    answer.cells.push_back(name == "-" ? wire::Predictions{}
                                       : wire::Predictions{{label(name), probability}});
  }
  return tell(kStages, std::move(answer));
}

std::string SinkStory::tell(std::uint32_t link, wire::Message message) {
  return said(sink_->on_message({link, 0}, std::move(message), now_));
}

std::string SinkStory::said(const machine::Actions& actions) {
  std::string out;
  for (const machine::Outgoing& message : actions.messages) {
    const auto* settled = std::get_if<wire::SlotSettled>(&message.message);
    if (!settled) continue;
    const wire::Verdict& verdict = settled->verdict;
    out += to_text(now_.since_start) + " batch " + std::to_string(settled->batch.sequence.value) +
           " slot " + std::to_string(settled->slot) + ": ";
    out += verdict.reason != wire::Reason::none
               ? "rejected, " + std::string(to_string(verdict.reason))
               : names_.at(verdict.predictions.at(0).label.value) + ", " +
                     std::string(to_string(settled->source));
    out += "\n";
  }
  return out;
}

std::string SinkStory::advance(wire::Duration by) {
  const wire::Instant until = now_ + by;
  std::string out;
  for (auto next = sink_->next_timeout(); next && *next <= until; next = sink_->next_timeout()) {
    now_ = std::max(now_, *next);
    out += said(sink_->on_timeout(now_));
  }
  now_ = until;
  return out;
}

std::string SinkStory::count(const Command& command) const {
  std::string out;
  const wire::Status status = sink_->status();
  for (const std::string& name : command.words) {
    const auto found = std::find_if(status.counters.begin(), status.counters.end(),
                                    [&](const wire::Counter& one) { return one.name == name; });
    if (found == status.counters.end()) command.fail("no counter is called " + name);
    out += name + " " + std::to_string(found->value) + "\n";
  }
  return out;
}

}  // namespace scenario
