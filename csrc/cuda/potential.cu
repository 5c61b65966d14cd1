// The potential on CUDA: rows of x, rows of y if their gradient is wanted, then sums of graphs.
#include "cuda/potential_graphs.cuh"
#include "cuda/potential_rows.cuh"

namespace geo {
namespace {

template <class T>
int32_t potential(GEO_CUDA_POTENTIAL(T)) {
  if (x_rows < 0 || y_rows < 0 || dim < 1 || dim > kMaxDim || graphs < 0 || power < 1 ||
      power > 2 || !(radius >= 0))
    return GEO_BAD_ARGUMENT;
  const OnDevice place(device);
  if (place.error != cudaSuccess || graphs == 0) return code_of(place.error);
  const Side<T> sx{{x, x_rows, x_ptr, x_order, x_box}, x_instance, x_weight};
  const Side<T> sy{{y, y_rows, y_ptr, y_order, y_box}, y_instance, y_weight};
  const Hinge<T> hinge(radius, power);
  launch_rows(sx, y ? sy : sx, dim, graphs, hinge, y ? Role::x_rows : Role::symmetric, row_energy,
              row_active, grad_x, stream);
  if (y && grad_y)
    launch_rows<T>(sy, sx, dim, graphs, hinge, Role::y_rows, nullptr, nullptr, grad_y, stream);
  double* tile_poison = row_energy + x_rows + tiles_of(x_rows);
  if (y && y_rows > 0)
    GEO_LAUNCH(poison_kernel<T>, tiles_of(y_rows), kTile, stream, sy, dim, tile_poison);
  GEO_LAUNCH(graphs_kernel<T>, graphs, kGraphThreads, stream, sx, sy, dim, row_energy, row_active,
             tile_poison, energy, active);
  return code_of(cudaGetLastError());
}

}  // namespace
}  // namespace geo

#define GEO_ARGUMENTS                                                                          \
  x, x_rows, x_ptr, x_order, x_box, y, y_rows, y_ptr, y_order, y_box, dim, graphs, x_instance, \
      y_instance, x_weight, y_weight, radius, power, row_energy, row_active, energy, active,   \
      grad_x, grad_y, device, stream

extern "C" int32_t geo_cuda_potential_f32(GEO_CUDA_POTENTIAL(float)) {
  return geo::potential<float>(GEO_ARGUMENTS);
}
extern "C" int32_t geo_cuda_potential_f64(GEO_CUDA_POTENTIAL(double)) {
  return geo::potential<double>(GEO_ARGUMENTS);
}
