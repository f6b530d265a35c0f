// Pictures of a user's own, read with a count on the terminal; files that are no pictures are
// named, counted and skipped.
#pragma once

#include "models/research/data/picture_tree.h"
#include "models/research/training/teacher.h"

namespace models {

// As load_picture_tree().  Says on standard error which files are skipped.  The same pictures go to
// `teacher_tiles` at its size, if it is not nullptr.
Dataset load_own_pictures(PictureTree tree, Labels labels, TeacherTiles* teacher_tiles);

}  // namespace models
