// Inference and decoding without pictures: images are tokens, and answers spell them.
//
// An image's payload is its token (8 bytes, never 0, the lowest first) and a byte that says
// whether it can be decoded.  Pasting puts the token into its slot of the canvas (slots x 8
// bytes), classifying reads it, and the predictions spell its lowest bytes, the lowest first, one
// label of kLabels each.  So a wrong image, a wrong slot or a picture shown twice is a wrong label
// at the producer.  A collage may misread a cell: its answer spells the token backwards, which is
// no answer of any other image.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "machine/random.h"
#include "replay/sim/world.h"

namespace replay::sim {

inline constexpr std::size_t kLabels = 256;
std::vector<std::string> token_labels();

// Requires token != 0.
wire::Payload make_image(std::uint64_t token, bool usable);
// The token of an image.
std::uint64_t token_of(const wire::Payload& image);

// How long one kind of work takes: never less than `least`, and on average `least + spread`
// (exponential).  n images together take (n + 1) / 2 times as long as one.
struct ServiceTime {
  wire::Duration least{};
  wire::Duration spread{};
};

class TokenExecutor : public Executor {
 public:
  struct Policy {
    std::size_t slots = 0;     // Slots of the grid.
    std::size_t digits = 1;    // Bytes of a token that an answer spells.
    float collage_least = 1;   // Collage answers have probabilities from here to 1.
    double collage_fails = 0;  // Chance that a collage inference gives nothing.
    double misread = 0;        // Chance that a cell of a collage is misread.
    ServiceTime single, paste, collage;
  };
  TokenExecutor(Policy policy, machine::Rng rng)
      : policy_(policy), rng_(rng), misreads_(rng.split()) {}

  Done run(machine::Work work) override;

  // Pictures that no correct assembler makes: of a wrong size, or with flags that do not fit.
  std::uint64_t bad_pictures() const { return bad_pictures_; }

 private:
  wire::Verdict verdict(const wire::Payload& image) const;
  machine::Outcome outcome(const machine::Classify& job) const;
  machine::Outcome outcome(machine::Paste job);
  machine::Outcome outcome(machine::ClassifyCollage job);
  wire::Duration draw(const ServiceTime& time);

  const Policy policy_;
  machine::Rng rng_;
  machine::Rng misreads_;  // A separate one, so that the draws of rng_ do not depend on misreads.
  std::uint64_t bad_pictures_ = 0;
};

// Whether the predictions spell the token.
bool spells(const std::vector<wire::NamedPrediction>& predictions, std::uint64_t token,
            std::size_t digits);
// Whether they spell it backwards.
bool misspells(const std::vector<wire::NamedPrediction>& predictions, std::uint64_t token,
               std::size_t digits);
// Whether a stage of this policy may give these predictions for the image of a token: they spell
// it, or the source is a collage, which may misread.
bool may_answer(const TokenExecutor::Policy& policy,
                const std::vector<wire::NamedPrediction>& predictions, wire::Source source,
                std::uint64_t token);

}  // namespace replay::sim
