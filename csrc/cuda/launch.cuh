// Launching from the host: device, error codes, the kernel of a dimension.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <type_traits>

#include "cuda_api.h"

namespace geo {

inline int32_t code_of(cudaError_t error) {
  return error == cudaSuccess ? GEO_OK : GEO_CUDA_ERROR + static_cast<int32_t>(error);
}

// Makes the device of the call current, and the caller's again afterwards; the launches in between
// report through cudaGetLastError.
class OnDevice {
 public:
  explicit OnDevice(int32_t device) {
    cudaGetLastError();  // an error left by somebody else is not ours
    error = cudaGetDevice(&before_);
    if (error != cudaSuccess || before_ == device) return;
    error = cudaSetDevice(device);
    changed_ = error == cudaSuccess;
  }
  ~OnDevice() {
    if (changed_) cudaSetDevice(before_);
  }
  OnDevice(const OnDevice&) = delete;
  OnDevice& operator=(const OnDevice&) = delete;

  cudaError_t error;

 private:
  int before_ = 0;
  bool changed_ = false;
};

#define GEO_LAUNCH(kernel, blocks, threads, stream, ...)                                    \
  kernel<<<static_cast<unsigned>(blocks), threads, 0, static_cast<cudaStream_t>(stream)>>>( \
      __VA_ARGS__)

// Calls launch(d) where d::value is the dimension if kernels are compiled for it, else 0.
template <class Launch>
void by_dim(int dim, const Launch& launch) {
  switch (dim) {
    case 1: return launch(std::integral_constant<int, 1>());
    case 2: return launch(std::integral_constant<int, 2>());
    case 3: return launch(std::integral_constant<int, 3>());
    case 4: return launch(std::integral_constant<int, 4>());
    case 8: return launch(std::integral_constant<int, 8>());
    case 12: return launch(std::integral_constant<int, 12>());
    case 16: return launch(std::integral_constant<int, 16>());
    default: return launch(std::integral_constant<int, 0>());
  }
}

}  // namespace geo
