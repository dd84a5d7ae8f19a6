#include "model/placement.h"

#include <initializer_list>

namespace llmr {

Placement Placement::Choose(std::int32_t layers, std::int32_t gpu_layers) {
  Placement placement;
  placement.cpu_ = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
  placement.first_accelerated_ = layers + 1;
  if (gpu_layers == 0) {
    return placement;
  }
  for (const auto type : {GGML_BACKEND_DEVICE_TYPE_GPU, GGML_BACKEND_DEVICE_TYPE_IGPU}) {
    if (placement.accelerator_ == nullptr) {
      placement.accelerator_ = ggml_backend_dev_by_type(type);
    }
  }
  if (placement.accelerator_ == nullptr) {
    return placement;
  }
  const bool all = gpu_layers < 0 || gpu_layers >= layers;
  placement.first_accelerated_ = all ? 0 : layers - gpu_layers;
  return placement;
}

}  // namespace llmr
