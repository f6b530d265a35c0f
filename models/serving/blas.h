// The threads of LibTorch's matrix products.
#pragma once

namespace models {

// Matrix products of this process run on the thread that asks for them.  OpenBLAS, which Debian's
// LibTorch uses, has a thread for each core otherwise, and these spin between products: ten images
// a second cost a stage 81 ms of processor time each instead of 8.  at::set_num_threads() does not
// reach them.  Does nothing with another BLAS.  Safe to call from any thread, before the others
// compute.
void use_one_blas_thread();

}  // namespace models
