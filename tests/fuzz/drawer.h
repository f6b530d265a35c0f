// Draws messages from a fuzz target's input: any message that the codec could have decoded, with
// small ids, so that the ids of different messages meet.
//
// The fields are those that wire/fields.h lists, each within the bounds that the decoder checks.
#pragma once

#include <array>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <limits>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "tests/fuzz/input.h"
#include "wire/fields.h"
#include "wire/message.h"

namespace fuzz {

// The numbers that were used last; before the first, 0.
class Recent {
 public:
  void add(wire::Sequence number) {
    if (numbers_[next_ % numbers_.size()] == number) return;
    next_ += 1;
    numbers_[next_ % numbers_.size()] = number;
  }
  // The newest if `back` is 0.
  wire::Sequence at(std::size_t back) const {
    return numbers_[(next_ + numbers_.size() - back % numbers_.size()) % numbers_.size()];
  }

 private:
  std::array<wire::Sequence, 16> numbers_{};
  std::size_t next_ = 0;
};

class Drawer {
 public:
  // The models that are drawn most of the time: `labels` with a grid of 0 or `grid`.
  Drawer(Input& input, std::uint64_t labels, std::uint8_t grid)
      : input_(input), labels_(labels), grid_(grid) {}

  template <class T>
  T draw() {
    T value;
    fields(value);
    return value;
  }
  // A message of one of these kinds.
  template <class... Kinds>
  wire::Message one_of() {
    static constexpr std::array<wire::Message (*)(Drawer&), sizeof...(Kinds)> kMakers{
        [](Drawer& drawer) -> wire::Message { return drawer.draw<Kinds>(); }...};
    return kMakers[input_.below(kMakers.size())](*this);
  }
  // A message of any kind that crosses the wire.
  wire::Message any() { return any(std::make_index_sequence<wire::kWireMessages>()); }

  wire::Duration duration() {
    using namespace std::chrono_literals;
    static constexpr std::array<wire::Duration, 16> kTimes{
        0ns,   1ns,   1ms,   5ms, 10ms, 20ms, 40ms, 100ms,
        200ms, 400ms, 500ms, 1s,  2s,   5s,   60s,  wire::kDurationMax};
    return kTimes[input_.below(kTimes.size())];
  }
  wire::Predictions predictions(std::size_t most) {
    wire::Predictions drawn(input_.below(most + 1));
    for (wire::Prediction& one : drawn) get(one);
    return drawn;
  }
  // A reason why an image is rejected, or none.
  wire::Reason verdict_reason() {
    using wire::Reason;
    static constexpr std::array kReasons{Reason::none, Reason::none, Reason::none,
                                         Reason::not_an_image, Reason::bad_scores};
    return kReasons[input_.below(kReasons.size())];
  }

  // Notes the ids of a message that a machine has sent or received; they are drawn again.
  void learn(const wire::Message& message) {
    std::visit([this](const auto& m) { learn_fields(m); }, message);
  }

 private:
  template <std::size_t... I>
  wire::Message any(std::index_sequence<I...>) {
    return one_of<std::variant_alternative_t<I, wire::Message>...>();
  }

  template <wire::Listed T>
  void fields(T& value) {
    std::apply(
        [&](const auto&... field) {
          (get_field(value.*wire::member(field), wire::most(field)), ...);
        },
        wire::kFields<T>);
  }
  template <class T>
  void get_field(T& value, std::uint64_t most) {
    if constexpr (std::same_as<T, std::string> || std::unsigned_integral<T>) {
      get(value, most);
    } else {
      get(value);
    }
  }

  template <wire::Listed T>
  void get(T& value) {
    fields(value);
  }
  template <class T>
  void get(std::vector<T>& values) {
    // Mostly short; now and then as long as the codec allows.
    const std::uint8_t drawn = input_.byte();
    const std::size_t size = drawn < 0xf8 ? drawn % 5 : wire::kCountMax<T> - drawn % 2;
    values.resize(std::min(size, wire::kCountMax<T>));
    for (T& value : values) get(value);
  }
  void get(std::vector<bool>& flags) {
    flags.resize(input_.below(wire::kSlotsMax + 1));
    const unsigned mask = input_.byte();
    for (std::size_t i = 0; i < flags.size(); ++i) flags[i] = ((mask >> (i % 8)) & 1) != 0;
  }
  template <std::unsigned_integral T>
  requires(!std::same_as<T, bool>) void get(T& value, std::uint64_t most) {
    const std::uint8_t drawn = input_.byte();
    std::uint64_t number = drawn;
    if (drawn >= 0xf8) number = drawn % 2 == 0 ? most : std::uint64_t{1} << (drawn % 8 * 8);
    value = static_cast<T>(number <= most ? number : number % (most + 1));
  }
  void get(bool& value, std::uint64_t = 0) { value = input_.flag(); }
  template <class E>
  requires std::is_enum_v<E>
  void get(E& value) {
    constexpr wire::Numbers kRange = wire::kNumbers<E>;
    value = static_cast<E>(kRange.first + input_.below(kRange.last - kRange.first + 1));
  }
  void get(wire::Reason& reason) {
    // Half of the time none; most messages with a reason are about something that went wrong.
    reason = wire::reason_from(input_.byte() % 104).value_or(wire::Reason::none);
  }
  template <class Tag>
  void get(wire::Id<Tag>& id) {
    const std::uint8_t drawn = input_.byte();
    id.value = drawn < 0xf8 ? drawn % 16 : std::numeric_limits<std::uint64_t>::max() - drawn % 8;
  }
  // Sequences and batches count up in a machine's life: the ones it used last are drawn, too.
  void get(wire::Sequence& sequence) { recent(sequence, sequences_); }
  void get(wire::BatchId& batch) {
    if (recent(batch.sequence, batches_)) batch.sequence.value %= 16;
    batch.epoch = epoch_;
    if (input_.byte() >= 0xe0) get(batch.epoch);
  }
  void get(wire::RequestId& request) {
    wire::Sequence number;
    recent(number, requests_);
    request.value = number.value;
  }
  // True if the number is a fresh one.
  bool recent(wire::Sequence& sequence, const Recent& known) {
    const std::uint8_t drawn = input_.byte();
    if (drawn >= 0x80) {
      sequence = known.at(drawn);
      return false;
    }
    sequence.value = drawn;
    return true;
  }
  template <class Tag>
  void get(wire::LongId<Tag>& id) {
    id = {1, input_.byte() % 16u};
  }
  void get(wire::Duration& value) { value = duration(); }
  void get(float& value) { value = static_cast<float>(input_.byte()) / 255; }
  void get(std::string& text, std::uint64_t most) {
    static constexpr std::array<const char*, 6> kTexts{"", "cat", "dog", "single-1", "\u00e9", "a"};
    const std::uint8_t drawn = input_.byte();
    text = drawn < 0xf8 ? std::string(kTexts[drawn % kTexts.size()])
                        : std::string(static_cast<std::size_t>(most), 'x');
  }
  void get(wire::Payload& payload) {
    const std::uint8_t size = input_.byte();
    payload = wire::Payload(wire::Payload::Bytes(size, size));
  }
  void get(wire::Model& model) {
    const std::uint8_t drawn = input_.byte();
    if (drawn >= 0xf0) return fields(model);
    model = {labels_, (drawn & 1) != 0 ? grid_ : std::uint8_t{0}, (drawn & 2) != 0 ? "v1" : "v2"};
  }

  template <class M>
  void learn_fields(const M& message) {
    if constexpr (wire::Listed<M>) {
      std::apply([&](const auto&... field) { (learn_field(message.*wire::member(field)), ...); },
                 wire::kFields<M>);
    }
  }
  template <class T>
  void learn_field(const T& value) {
    if constexpr (std::same_as<T, wire::BatchId>) {
      batches_.add(value.sequence);
      epoch_ = value.epoch;
    } else if constexpr (std::same_as<T, wire::Sequence>) {
      sequences_.add(value);
    } else if constexpr (std::same_as<T, wire::RequestId>) {
      requests_.add({value.value});
    }
  }

  Input& input_;
  const std::uint64_t labels_;
  const std::uint8_t grid_;
  Recent sequences_, batches_, requests_;
  wire::Epoch epoch_{1};
};

}  // namespace fuzz
