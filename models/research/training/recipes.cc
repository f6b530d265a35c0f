#include "models/research/training/recipes.h"

namespace models {
namespace {

constexpr LossPolicy kDistilled{
    .label_smoothing = 0.0, .distill_share = 0.8, .distill_temperature = 2.0};

bool is_cifar(const std::string& dataset) { return dataset == "cifar10"; }
bool is_imagenet64(const std::string& dataset) { return dataset == "imagenet64"; }

// Settings that all models of imagenet64 share.
void fit_to_imagenet64(Recipe& recipe) {
  recipe.descent.weight_decay = 5e-4;
  recipe.descent.decay = Descent::Decay::linear;
  recipe.descent.average = 0.999;  // A window of 1,000 steps: about three epochs.
  // A photograph shows its subject in any size, so random crops teach more than shifts.  But an
  // enlarged crop is never sharp, and a network that was trained on crops alone answered half as
  // many sharp tiles correctly, which are what a stage gets.
  recipe.tiles.pool.augmentation = {.crop = 0.5, .shift_max = 8, .reflect = true, .erase = 0};
  recipe.tiles.pool.alternate_mirror = true;
}

Recipe imagenet64_single() {
  Recipe recipe;
  fit_to_imagenet64(recipe);
  recipe.descent.epochs = 15;
  recipe.descent.shift_rate = 8;  // CIFAR-10's 64 is from recipes of 10 to 24 epochs.
  recipe.tiles.middles = {{6, 0.5}, {12, 0.75}};
  recipe.tiles.loss.label_smoothing = 0.1;
  recipe.tiles.pool.mix = 0.2;  // A larger share needs more epochs.
  return recipe;
}

}  // namespace

Recipe single_recipe(const std::string& dataset) {
  if (is_imagenet64(dataset)) return imagenet64_single();
  Recipe recipe;
  recipe.descent.epochs = 22;
  if (is_cifar(dataset)) {
    recipe.descent.epochs = 58;
    recipe.descent.weight_decay = 1.2e-3;
    recipe.descent.shift_rate = 64;  // As Page 2018 and Jordan 2024.
    recipe.tiles.loss.label_smoothing = 0.1;
    recipe.tiles.pool.augmentation = {.shift_max = 4,
                                      .reflect = true,
                                      .erase = 0.7,
                                      .erase_side_min = 0.2,
                                      .erase_side_max = 0.45};
  }
  return recipe;
}

Recipe collage_recipe(const std::string& dataset) {
  Recipe recipe;
  recipe.descent.epochs = 36;
  recipe.descent.weight_decay = 2e-4;  // A small network that sees every image many ways hardly
                                       // overfits.
  recipe.tiles.batch_images = 144;
  recipe.tiles.partial_share = 0.1;
  recipe.tiles.pool.tile_epochs = 6;
  recipe.tiles.loss = kDistilled;
  if (is_cifar(dataset)) {
    // Students of this size still overfit 45,000 pictures, and a teacher's answers to pictures of
    // its own training set carry little beyond their labels; its answers to mixed pictures do.
    recipe.descent.epochs = 150;
    recipe.descent.weight_decay = 5e-4;
    // Tiles that two epochs in succession show are memorised: their loss is lower by 0.13 the
    // second time.
    recipe.tiles.pool.tile_epochs = 1;
    recipe.tiles.pool.rotation = 30;
    recipe.tiles.pool.augmentation = {.shift_max = 4, .reflect = true, .erase = 0};
    recipe.tiles.pool.mix = 0.6;
  } else if (is_imagenet64(dataset)) {
    fit_to_imagenet64(recipe);
    recipe.descent.epochs = 150;
    recipe.tiles.pool.tile_epochs = 1;
    recipe.tiles.pool.rotation = 30;
    recipe.tiles.pool.mix = 0.6;
  } else {
    recipe.tiles.pool.augmentation.erase = 0.15;
  }
  return recipe;
}

Recipe detect_recipe(const std::string& dataset) {
  Recipe recipe = collage_recipe(dataset);
  recipe.descent.learning_rate = 0.03;  // Its loss is a sum over boxes, and steeper.
  recipe.tiles.pool.mix = 0;            // A box shows one class.
  return recipe;
}

Recipe small_recipe(const std::string& dataset) {
  Recipe recipe = collage_recipe(dataset);
  recipe.tiles.partial_share = 0;
  return recipe;
}

Recipe parity_recipe(const std::string& dataset) {
  Recipe recipe = collage_recipe(dataset);
  recipe.descent.epochs = 24;
  recipe.descent.learning_rate = 0.02;  // Squares of logits are steep.
  recipe.descent.weight_decay = 5e-4;
  recipe.tiles.partial_share = 0;
  recipe.tiles.pool.mix = 0;
  return recipe;
}

}  // namespace models
