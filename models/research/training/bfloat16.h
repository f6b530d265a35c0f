// Mixed precision: convolutions in bfloat16 while a scope lives, losses and weights in float.
#pragma once

#include <ATen/autocast_mode.h>

namespace models {

class Bfloat16Scope {
 public:
  explicit Bfloat16Scope(bool on) : on_(on) {
    if (!on_) return;
    at::autocast::set_autocast_cpu_dtype(at::kBFloat16);
    at::autocast::set_cpu_enabled(true);
  }
  ~Bfloat16Scope() {
    if (!on_) return;
    at::autocast::clear_cache();
    at::autocast::set_cpu_enabled(false);
  }
  Bfloat16Scope(const Bfloat16Scope&) = delete;
  Bfloat16Scope& operator=(const Bfloat16Scope&) = delete;

 private:
  bool on_;
};

}  // namespace models
