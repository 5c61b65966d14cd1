// The entry point of a fuzzer: the first byte chooses the kernel, the rest is its case.
#include "input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using Target = void (*)(fuzz::Input&);
  static const Target targets[] = {
      fuzz::potential, fuzz::search,   fuzz::suppress, fuzz::segment,
      fuzz::potential, fuzz::search,   fuzz::sampling, fuzz::grid,
      fuzz::refused,   fuzz::profiles, fuzz::coupling,
      fuzz::slic,      fuzz::felzenszwalb,
      fuzz::image_regions};
  if (size < 2) return 0;
  fuzz::Input in(data + 1, size - 1);
  targets[data[0] % (sizeof targets / sizeof targets[0])](in);
  return 0;
}
