// The fields of every message, listed once.  The codec writes and reads them in this order, so that
// encoder and decoder cannot disagree.
//
// kFields<T> is a tuple of pointers to members.  AtMost adds a bound that the type of the field
// does not imply; since<3>() marks a field that version 3 brought, which older versions leave out.
// kCountMax<T> bounds a list of T, and kNumbers<E> the numbers of an enumeration.  A Payload is
// listed in the order of the struct, but is sent as a frame of its own.
//
// Accepted and Sent list the kinds that exist in an older version, too, by direction.
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include "wire/codec.h"
#include "wire/message.h"

namespace wire {

template <class M, class T>
struct AtMost {
  T M::*member;
  std::uint64_t most;  // The largest value of a number, the most bytes of a string.
};
// Clang deduces the arguments of an aggregate by itself only from version 17 on.
template <class M, class T>
AtMost(T M::*, std::uint64_t) -> AtMost<M, T>;

template <std::uint32_t V, class F>
struct Since {
  F field;  // A pointer to a member or an AtMost.
};
template <std::uint32_t V, class F>
constexpr Since<V, F> since(F field) {
  return {field};
}

struct Unlisted {};
template <class T>
inline constexpr Unlisted kFields{};
template <class T>
concept Listed = !std::same_as<std::remove_cvref_t<decltype(kFields<T>)>, Unlisted>;

template <class T>
inline constexpr std::size_t kCountMax = 0;
template <>
inline constexpr std::size_t kCountMax<Prediction> = kPredictionsMax;
template <>
inline constexpr std::size_t kCountMax<NamedPrediction> = kPredictionsMax;
template <>
inline constexpr std::size_t kCountMax<Predictions> = kSlotsMax;
template <>
inline constexpr std::size_t kCountMax<Duration> = kSlotsMax;
template <>
inline constexpr std::size_t kCountMax<Sequence> = kHeldMax;
template <>
inline constexpr std::size_t kCountMax<Counter> = kCountersMax;
template <>
inline constexpr std::size_t kCountMax<WorkerReport> = kWorkersMax;

struct Numbers {
  std::uint64_t first;
  std::uint64_t last;
};
template <class E>
inline constexpr Numbers kNumbers{};
template <>
inline constexpr Numbers kNumbers<Role>{1, 4};
template <>
inline constexpr Numbers kNumbers<Source>{0, 3};
template <>
inline constexpr Numbers kNumbers<ResultStatus>{0, 5};
template <>
inline constexpr Numbers kNumbers<Priority>{0, 2};
template <>
inline constexpr Numbers kNumbers<WorkerState>{1, 6};
template <>
inline constexpr Numbers kNumbers<LossCause>{0, 3};

// --- parts of messages ---

template <class Tag>
inline constexpr auto kFields<LongId<Tag>> = std::tuple(&LongId<Tag>::high, &LongId<Tag>::low);
template <>
inline constexpr auto kFields<BatchId> = std::tuple(&BatchId::epoch, &BatchId::sequence);
template <>
inline constexpr auto kFields<Prediction> = std::tuple(&Prediction::label,
                                                       &Prediction::probability);
template <>
inline constexpr auto kFields<NamedPrediction> =
    std::tuple(AtMost{&NamedPrediction::name, kNameMax}, &NamedPrediction::prediction);
template <>
inline constexpr auto kFields<Verdict> = std::tuple(&Verdict::predictions, &Verdict::reason);
template <>
inline constexpr auto kFields<Model> = std::tuple(&Model::labels_hash,
                                                  AtMost{&Model::grid, kGridSideMax},
                                                  AtMost{&Model::version, kVersionMax});
template <>
inline constexpr auto kFields<Counter> = std::tuple(AtMost{&Counter::name, kNameMax},
                                                    &Counter::value);

template <>
inline constexpr auto kFields<Location> = std::tuple(AtMost{&Location::host, kHostMax},
                                                     AtMost{&Location::unit, kUnitMax},
                                                     &Location::index, &Location::pid);
template <>
inline constexpr auto kFields<WorkerReport> = std::tuple(
    &WorkerReport::worker, &WorkerReport::role, &WorkerReport::model, &WorkerReport::location,
    &WorkerReport::state, &WorkerReport::cause, &WorkerReport::since, &WorkerReport::heard,
    &WorkerReport::tasks, &WorkerReport::capacity, &WorkerReport::oldest_task,
    &WorkerReport::service_median, &WorkerReport::service_usual, &WorkerReport::next_probe);

// --- messages, in the order of their numbers ---

template <>
inline constexpr auto kFields<ProducerHello> = std::tuple(&ProducerHello::producer,
                                                          &ProducerHello::corrections);
template <>
inline constexpr auto kFields<WorkerHello> = std::tuple(
    &WorkerHello::worker, &WorkerHello::role, &WorkerHello::model, &WorkerHello::capacity,
    since<3>(&WorkerHello::location), since<4>(AtMost{&WorkerHello::sink, kSinksMax - 1}));
template <>
inline constexpr auto kFields<Welcome> = std::tuple(&Welcome::epoch, &Welcome::heartbeat,
                                                    &Welcome::credit, &Welcome::image_bytes_max,
                                                    &Welcome::deadline_max,
                                                    &Welcome::correction_window);
template <>
inline constexpr auto kFields<Refuse> = std::tuple(&Refuse::reason, &Refuse::protocol);
template <>
inline constexpr auto kFields<Submit> = std::tuple(&Submit::request, &Submit::remaining,
                                                   &Submit::image, since<3>(&Submit::priority),
                                                   since<3>(&Submit::latest));
template <>
inline constexpr auto kFields<Result> = std::tuple(&Result::request, &Result::status,
                                                   &Result::source, &Result::reason,
                                                   &Result::latency, &Result::retry_after,
                                                   &Result::predictions,
                                                   AtMost{&Result::version, kVersionMax},
                                                   since<3>(&Result::brownout));
template <>
inline constexpr auto kFields<Ready> = std::tuple(&Ready::seen, &Ready::held, &Ready::leaving);
template <>
inline constexpr auto kFields<Assign> = std::tuple(&Assign::sequence, &Assign::batch,
                                                   AtMost{&Assign::slot, kSlotsMax - 1},
                                                   &Assign::hedge, &Assign::age, &Assign::remaining,
                                                   &Assign::image,
                                                   since<4>(AtMost{&Assign::sink, kSinksMax - 1}));
template <>
inline constexpr auto kFields<SealCollage> = std::tuple(&SealCollage::batch,
                                                        AtMost{&SealCollage::filled, kSlotsMax});
template <>
inline constexpr auto kFields<DropCollage> = std::tuple(&DropCollage::batch);
template <>
inline constexpr auto kFields<CollageTask> =
    std::tuple(&CollageTask::epoch, &CollageTask::sequence, &CollageTask::batch,
               &CollageTask::blank, &CollageTask::age, &CollageTask::remaining,
               &CollageTask::picture, since<4>(AtMost{&CollageTask::sink, kSinksMax - 1}));
template <>
inline constexpr auto kFields<Answer> = std::tuple(&Answer::batch,
                                                   AtMost{&Answer::slot, kSlotsMax - 1},
                                                   &Answer::worker, &Answer::hedge, &Answer::age,
                                                   &Answer::compute, &Answer::verdict,
                                                   AtMost{&Answer::version, kVersionMax},
                                                   &Answer::service);
template <>
inline constexpr auto kFields<CollageAnswer> = std::tuple(
    &CollageAnswer::batch, &CollageAnswer::worker, &CollageAnswer::age, &CollageAnswer::compute,
    &CollageAnswer::cells, AtMost{&CollageAnswer::version, kVersionMax}, &CollageAnswer::service);
template <>
inline constexpr auto kFields<BatchOpened> = std::tuple(&BatchOpened::batch,
                                                        AtMost{&BatchOpened::slots, kSlotsMax},
                                                        &BatchOpened::age, &BatchOpened::covered);
template <>
inline constexpr auto kFields<BatchSealed> = std::tuple(&BatchSealed::batch, &BatchSealed::ages,
                                                        since<3>(&BatchSealed::collage_only));
template <>
inline constexpr auto kFields<BatchSettled> = std::tuple(&BatchSettled::batch);
template <>
inline constexpr auto kFields<SlotSettled> = std::tuple(&SlotSettled::batch,
                                                        AtMost{&SlotSettled::slot, kSlotsMax - 1},
                                                        &SlotSettled::source, &SlotSettled::verdict,
                                                        AtMost{&SlotSettled::version, kVersionMax});
template <>
inline constexpr auto kFields<ServiceTimes> = std::tuple(&ServiceTimes::patience,
                                                         &ServiceTimes::p95, &ServiceTimes::p99,
                                                         &ServiceTimes::budget);
template <>
inline constexpr auto kFields<StatusRequest> = std::tuple();
template <>
inline constexpr auto kFields<Status> = std::tuple(&Status::counters);
template <>
inline constexpr auto kFields<Cancel> = std::tuple(&Cancel::request);
template <>
inline constexpr auto kFields<Correction> = std::tuple(&Correction::request, &Correction::source,
                                                       &Correction::latency,
                                                       &Correction::predictions,
                                                       AtMost{&Correction::version, kVersionMax});
template <>
inline constexpr auto kFields<Disagreement> = std::tuple(
    &Disagreement::batch, AtMost{&Disagreement::slot, kSlotsMax - 1}, &Disagreement::source,
    &Disagreement::predictions, AtMost{&Disagreement::version, kVersionMax});
template <>
inline constexpr auto kFields<Withdraw> = std::tuple(&Withdraw::sequence);
template <>
inline constexpr auto kFields<WorkerStates> = std::tuple(&WorkerStates::first, &WorkerStates::total,
                                                         &WorkerStates::workers);
template <>
inline constexpr auto kFields<CollagePicture> = std::tuple(&CollagePicture::batch,
                                                           &CollagePicture::width,
                                                           &CollagePicture::height,
                                                           AtMost{&CollagePicture::channels, 3},
                                                           &CollagePicture::picture);
template <>
inline constexpr auto kFields<Redirect> = std::tuple(AtMost{&Redirect::from, kSinksMax - 1},
                                                     AtMost{&Redirect::to, kSinksMax - 1},
                                                     &Redirect::oldest);

// --- older versions ---

template <class... Kinds>
struct KindList {
  template <class M>
  static constexpr bool has = (std::same_as<M, Kinds> || ...);
};
// What producers and observers may send, and what they get, in a version before kProtocol.
using Accepted = KindList<ProducerHello, Submit, Cancel, StatusRequest>;
using Sent = KindList<Welcome, Refuse, Result, Correction, Status>;

// Return what stands for a value in a version that does not know it.
constexpr Reason as_of(std::uint32_t protocol, Reason reason) {
  if (protocol >= 3) return reason;
  if (reason == Reason::overloaded) return Reason::full;
  return reason >= Reason::no_broker ? Reason::none : reason;
}
constexpr ResultStatus as_of(std::uint32_t protocol, ResultStatus status) {
  return protocol < 3 && status == ResultStatus::superseded ? ResultStatus::missing : status;
}
template <class E>
constexpr E as_of(std::uint32_t, E value) {
  return value;
}

// --- reading the lists ---

template <class M, class T>
constexpr T M::*member(T M::*field) {
  return field;
}
template <class M, class T>
constexpr T M::*member(const AtMost<M, T>& field) {
  return field.member;
}
template <std::uint32_t V, class F>
constexpr auto member(const Since<V, F>& field) {
  return member(field.field);
}
// Returns the bound of a field; for a number without a bound, the largest value of its type.
template <class M, class T>
constexpr std::uint64_t most(T M::*) {
  if constexpr (std::unsigned_integral<T>) return std::numeric_limits<T>::max();
  return 0;
}
template <class M, class T>
constexpr std::uint64_t most(const AtMost<M, T>& field) {
  return field.most;
}
template <std::uint32_t V, class F>
constexpr std::uint64_t most(const Since<V, F>& field) {
  return most(field.field);
}
// Returns the first version that has the field.
template <class F>
constexpr std::uint32_t first_version(const F&) {
  return 0;
}
template <std::uint32_t V, class F>
constexpr std::uint32_t first_version(const Since<V, F>&) {
  static_assert(V > kProtocolMin && V <= kProtocol);
  return V;
}

// Returns the number of members of a struct: the most values with which it can be initialised.
struct Anything {
  template <class T>
  operator T() const;
};
template <class T, class... Members>
constexpr std::size_t members() {
  if constexpr (requires { T{std::declval<Members>()..., Anything{}}; }) {
    return members<T, Members..., Anything>();
  }
  return sizeof...(Members);
}

// Returns the number of elements in the array of a T: one for each field that the version has and
// that is not a payload.
template <class T>
constexpr std::uint32_t count(std::uint32_t protocol) {
  static_assert(std::tuple_size_v<decltype(kFields<T>)> == members<T>(), "a field is not listed");
  constexpr auto elements = []<class M, class F>(F M::*) {
    return std::same_as<F, Payload> ? 0u : 1u;
  };
  return std::apply(
      [&](const auto&... field) {
        return (0u + ... + (first_version(field) <= protocol ? elements(member(field)) : 0u));
      },
      kFields<T>);
}

template <class E>
constexpr bool known(std::uint64_t number) {
  if constexpr (std::same_as<E, Reason>) return reason_from(number).has_value();
  return number >= kNumbers<E>.first && number <= kNumbers<E>.last;
}

// Returns false for NaN, too.
constexpr bool is_probability(float value) { return value >= 0 && value <= 1; }

}  // namespace wire
