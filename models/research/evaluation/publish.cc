#include "models/research/evaluation/publish.h"

#include <unistd.h>

#include <stdexcept>

#include "models/research/atomic_file.h"
#include "models/research/evaluation/evaluate.h"
#include "models/research/nets/export_script.h"
#include "models/research/training/tile_pool.h"
#include "models/serving/heads/calibration.h"
#include "models/serving/network.h"
#include "models/serving/sha256.h"

namespace models {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kTilingSeed = 1;  // For the collages that are measured.
constexpr int kShiftMax = 2;              // Pixels; shifts the pictures to calibrate on.

// A temporary folder on the file system of the final files, so that they can be renamed into place;
// removed at the end of its scope.
class Workbench {
 public:
  explicit Workbench(const fs::path& folder)
      : path_(folder / (".publish" + std::to_string(getpid()))) {
    fs::create_directories(path_ / "weights");
  }
  ~Workbench() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Workbench(const Workbench&) = delete;
  Workbench& operator=(const Workbench&) = delete;

  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

Manifest describe(const Architecture& a, const Publication& publication, const Dataset& data,
                  const fs::path& weights) {
  Manifest manifest{.name = publication.name,
                    .kind = publication.kind,
                    .dataset = data.name,
                    .grid = a.grid,
                    .head = a.head,
                    .detect = a.head == Head::detect ? detect_shape(a) : DetectShape{},
                    .parity_code = publication.parity_code,
                    .parity_images = publication.parity_images,
                    .weights = weights,
                    .sha256 = sha256_of(weights),
                    .version = {},
                    .tile = data.shape,
                    .preprocess = data.preprocess,
                    .normalisation = data.normalisation,
                    .calibration = {},
                    .class_names = data.class_names,
                    .origin = publication.origin};
  manifest.origin.mmac = mmac(a);
  manifest.origin.parameters = parameter_count(a);
  manifest.version = version_of(manifest.kind, manifest.head, manifest.grid, manifest.sha256);
  return manifest;
}

// The same pictures, shifted and perhaps mirrored.
Dataset changed(Dataset data, const Publication& publication) {
  const PoolPolicy policy{.augmentation = {.mirror = publication.mirror ? 0.5 : 0,
                                           .shift_max = kShiftMax,
                                           .reflect = publication.reflect,
                                           .erase = 0}};
  data.pixels = make_tiles({.tiles = &data}, policy, {}, 0).pixels;
  return data;
}

void calibrate_and_measure(Manifest& manifest, const Dataset& held_back,
                           const std::optional<Dataset>& test) {
  const std::vector<float> logits = answer_all(Network(manifest), held_back, kTilingSeed);
  manifest.calibration = fit_calibration(logits, held_back.labels, held_back.class_names.size());
  if (!test) return;
  const Score measured = score(Network(manifest), *test, kTilingSeed);
  manifest.origin.test_accuracy = measured.accuracy;
  manifest.origin.test_ece = measured.ece;
  manifest.origin.sample_right = sample_right(Network(manifest), *test, kTilingSeed);
}

}  // namespace

Manifest publish(GridNet& net, const Publication& publication, const Dataset& held_back,
                 const std::optional<Dataset>& test) {
  const fs::path& folder = publication.folder;
  const Workbench bench(folder);
  const fs::path weights = fs::path("weights") / (publication.name + ".pt");
  const fs::path text = publication.name + ".yaml";
  export_script(net, bench.path() / weights);
  Manifest manifest = describe(net->architecture(), publication, held_back, bench.path() / weights);
  if (manifest.kind != Kind::parity) {
    calibrate_and_measure(manifest, changed(held_back, publication), test);
  }
  manifest.weights = weights;
  write_text(bench.path() / text, manifest_text(manifest));
  fs::create_directories(folder / "weights");
  // Weights first: a manifest must never name weights that are not there.  Between the two renames
  // an older manifest meets new weights, which its hash refuses.
  fs::rename(bench.path() / weights, folder / weights);
  fs::rename(bench.path() / text, folder / text);
  manifest.weights = folder / weights;
  return manifest;
}

}  // namespace models
