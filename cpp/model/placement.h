// Which device each part of a model lies on.
#pragma once

#include <ggml-backend.h>

#include <cstdint>

namespace llmr {

// Where each part of a model is computed.
class Placement {
 public:
  // The last `gpu_layers` of `layers` layers, -1: all, and the output layer with them on the first
  // GPU where there is one. The token embedding stays on the CPU.
  static Placement Choose(std::int32_t layers, std::int32_t gpu_layers);

  ggml_backend_dev_t cpu() const { return cpu_; }
  ggml_backend_dev_t accelerator() const { return accelerator_; }  // null where none is used

  // REQUIRES: 0 ≤ layer ≤ layers; layers itself is the output layer.
  ggml_backend_dev_t Layer(std::int32_t layer) const {
    return layer >= first_accelerated_ ? accelerator_ : cpu_;
  }

 private:
  ggml_backend_dev_t cpu_ = nullptr;
  ggml_backend_dev_t accelerator_ = nullptr;
  std::int32_t first_accelerated_ = 0;
};

}  // namespace llmr
