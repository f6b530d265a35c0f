// The threads of LibTorch's matrix products.
#pragma once

namespace models {

// Matrix products of this process run on the thread that asks for them.  OpenBLAS, which Debian's
// LibTorch uses, has a thread for each core otherwise, and these spin between products: with two
// cores and ten images a second a MobileNetV3 took 108 ms of processor time an image instead of 5.
// at::set_num_threads() does not reach them.  Does nothing with another BLAS.  Call it before other
// threads compute.
void use_one_blas_thread();

}  // namespace models
