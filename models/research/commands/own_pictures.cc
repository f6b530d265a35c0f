#include "models/research/commands/own_pictures.h"

#include <cstdio>

#include "models/research/commands/progress.h"
#include "models/research/commands/skipped_files.h"

namespace models {

Dataset load_own_pictures(PictureTree tree, Labels labels, TeacherTiles* teacher_tiles) {
  SkippedFiles skipped(tree.source);
  tree.on_skipped = skipped.hook();
  if (teacher_tiles != nullptr) {
    tree.second = {.shape = teacher_tiles->shape,
                   .preprocess = teacher_tiles->preprocess,
                   .file = &teacher_tiles->file};
  }
  Dataset data;
  {
    CountLine line("pictures read from " + tree.source.string());
    tree.on_read = [&](std::size_t pictures) { line.show(pictures); };
    data = load_picture_tree(tree, labels);
  }
  if (const std::string text = skipped.summary(); !text.empty()) {
    std::fprintf(stderr, "%s\n", text.c_str());
  }
  return data;
}

}  // namespace models
