// ParM, a baseline of the collage: one more network answers for k images at once; its answer less
// the s-CNN's answers to k-1 of them is the answer to the straggler.
//
//     k images -> encode_parity -> parity model -> P;  answer i recovered = P - sum of the others
//
// The parity model has the s-CNN's own architecture and learns that P should be the sum of the k
// answers.  Kosaian, Rashmi and Venkataraman 2019, "Parity Models: Erasure-Coded Resilience for
// Prediction Serving Systems", with one parity model (r = 1).
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "models/research/data/dataset.h"
#include "models/research/training/tile_pool.h"
#include "models/research/training/trainer.h"

namespace models {

enum class ParityCode : std::uint8_t {
  addition,       // The images' sum, number by number; any k.
  concatenation,  // k = 4 images at half their size, 2x2 in one picture, row by row.
};

// By its name in manifests, "addition" or "concatenation".  Requires one of them.
ParityCode parity_code_of(std::string_view name);

// Normalised images float [B, k, C, H, W] to [B, C, H, W].  Requires, for concatenation, k = 4 and
// even sides.
torch::Tensor encode_parity(ParityCode code, const torch::Tensor& images);

// Every answer of a group, each in turn taken as missing and recovered from the others: `parity`
// [B, classes] and `answers` [B, k, classes] are logits; returns [B, k, classes].
torch::Tensor decode_parity(const torch::Tensor& parity, const torch::Tensor& answers);

// The answer to each image recovered once, logits float [data.size(), classes].  `model` takes what
// encode_parity() gives, `answers` [data.size(), classes] are the s-CNN's.  Groups are drawn from
// `seed`; images from the beginning fill up the last.  Requires k >= 1 and data not empty.
torch::Tensor recovered_logits(const std::function<torch::Tensor(const torch::Tensor&)>& model,
                               const torch::Tensor& answers, const Dataset& data, ParityCode code,
                               int k, std::uint64_t seed);

struct ParityPolicy {
  ParityCode code = ParityCode::addition;
  int k = 2;
  int batch_images =
      128;          // Images a step, k at least; those that fill no whole group are left out.
  PoolPolicy pool;  // Its precision is the student's too; validation is always in float.
};

// Every epoch draws its groups; images that do not fill a last step are left out of it.  The
// loss is the mean squared error to the sum of the teacher's logits.
class ParityTask : public TrainingTask {
 public:
  // Borrows the data sets, whose pictures need a label.  The teacher is the s-CNN, not empty.
  ParityTask(const Pictures& data, const Pictures& held_back, const ParityPolicy& policy,
             Teacher teacher);
  // Throws std::runtime_error if there are fewer images than one step takes.
  std::size_t begin(int epoch) override;
  torch::Tensor loss(GridNet& net, std::size_t step) override;
  // The share of held-back pictures whose recovered answer has its best class at their label.
  double validate(GridNet& net) override;

 private:
  std::size_t step_images() const {
    return static_cast<std::size_t>(policy_.batch_images / policy_.k * policy_.k);
  }

  Pictures data_;
  Pictures held_back_;
  ParityPolicy policy_;
  Pools pools_;
  const TilePool* pool_ = nullptr;   // This epoch's.
  torch::Tensor held_back_answers_;  // The teacher's; undefined until first asked for.
  std::vector<std::int64_t> groups_;
};

}  // namespace models
