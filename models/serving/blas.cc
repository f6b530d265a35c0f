#include "models/serving/blas.h"

#include <dlfcn.h>

namespace models {

// By its name at run time, for another BLAS can be installed in the place of OpenBLAS.
void use_one_blas_thread() {
  using SetThreads = void (*)(int);
  const auto set = reinterpret_cast<SetThreads>(dlsym(RTLD_DEFAULT, "openblas_set_num_threads"));
  if (set != nullptr) set(1);
}

}  // namespace models
