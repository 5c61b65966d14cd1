/* The C ABI of the CUDA kernels, library geoinfluencer_cuda. It loads without a GPU.
 *
 * All arrays are device memory of `device`, dense and row-major; the work is queued on `stream` (a
 * cudaStream_t) and nothing waits for it. Every function returns GEO_OK, GEO_BAD_ARGUMENT or
 * GEO_CUDA_ERROR + cudaError_t. Sums have a fixed order: the same input gives the same output.
 *
 * A point set comes SORTED: graph after graph, near points in near rows (any order is right, a
 * space-filling one is fast), with `order` (N) giving the caller's row of each sorted row and `box`
 * (ceil(N / GEO_CUDA_TILE), 2, D) bounding every tile of rows. Outputs are in the caller's rows.
 */
#ifndef GEOINFLUENCER_CUDA_API_H
#define GEOINFLUENCER_CUDA_API_H

#include "api.h"

#define GEO_CUDA_TILE 64
#define GEO_CUDA_CURVE_DIMS 6

#ifdef __cplusplus
extern "C" {
#endif

GEO_API int32_t geo_cuda_abi_version(void);

/* What to sort a point set by: code (N) = graph, then `bits` <= 16 bits of each of the widest
 * GEO_CUDA_CURVE_DIMS dimensions, interleaved. low, high (D): extent of the finite coordinates. */
#define GEO_CUDA_CODES(T)                                                            \
  const T *points, int64_t n, int32_t dim, const T *low, const T *high,              \
      const int64_t *ptr, int64_t graphs, int32_t bits, int64_t *code, int32_t device, void *stream
GEO_API int32_t geo_cuda_codes_f32(GEO_CUDA_CODES(float));
GEO_API int32_t geo_cuda_codes_f64(GEO_CUDA_CODES(double));

/* Boxes of the tiles of sorted points (N, D); values that are not numbers are passed over. */
GEO_API int32_t geo_cuda_boxes_f32(const float* points, int64_t n, int32_t dim, float* box,
                                   int32_t device, void* stream);
GEO_API int32_t geo_cuda_boxes_f64(const double* points, int64_t n, int32_t dim, double* box,
                                   int32_t device, void* stream);

#define GEO_CUDA_SET(T, s)                                                                  \
  const T *s, int64_t s##_rows, const int64_t *s##_ptr, const int64_t *s##_order, const T *s##_box

/* geo_potential of api.h. y NULL: symmetric. Workspace: row_energy (N + tiles of x + tiles of y)
 * and row_active (N + tiles of x). */
#define GEO_CUDA_POTENTIAL(T)                                                                  \
  GEO_CUDA_SET(T, x), GEO_CUDA_SET(T, y), int32_t dim, int64_t graphs,                         \
      const int64_t *x_instance, const int64_t *y_instance, const T *x_weight,                 \
      const T *y_weight, double radius, int32_t power, double *row_energy, int64_t *row_active, \
      T *energy, int64_t *active, T *grad_x, T *grad_y, int32_t device, void *stream
GEO_API int32_t geo_cuda_potential_f32(GEO_CUDA_POTENTIAL(float));
GEO_API int32_t geo_cuda_potential_f64(GEO_CUDA_POTENTIAL(double));

/* geo_knn of api.h. `self` != 0: the queries are the points, each excluded from its own list. */
#define GEO_CUDA_SEARCH(T)                                                                  \
  GEO_CUDA_SET(T, points), GEO_CUDA_SET(T, queries), int32_t self, int32_t dim, int64_t graphs
#define GEO_CUDA_KNN(T) int32_t k, int64_t *index, T *dist2, int32_t device, void *stream
GEO_API int32_t geo_cuda_knn_f32(GEO_CUDA_SEARCH(float), GEO_CUDA_KNN(float));
GEO_API int32_t geo_cuda_knn_f64(GEO_CUDA_SEARCH(double), GEO_CUDA_KNN(double));

/* Points within r: with row_ptr NULL only count (Q); else also index (E) and dist2 (E), each row
 * from row_ptr[q] on, not sorted. */
#define GEO_CUDA_RADIUS(T) \
  double r, const int64_t *row_ptr, int64_t *count, int64_t *index, T *dist2, int32_t device, \
      void *stream
GEO_API int32_t geo_cuda_radius_f32(GEO_CUDA_SEARCH(float), GEO_CUDA_RADIUS(float));
GEO_API int32_t geo_cuda_radius_f64(GEO_CUDA_SEARCH(double), GEO_CUDA_RADIUS(double));

/* geo_suppress of api.h, points in the caller's rows. keep (N) must be 1 everywhere before. */
#define GEO_CUDA_SUPPRESS(T)                                                      \
  const T *points, int64_t n, int32_t dim, int64_t graphs, const int64_t *ptr,    \
      const int64_t *visit, double radius, uint8_t *keep, int32_t device, void *stream
GEO_API int32_t geo_cuda_suppress_f32(GEO_CUDA_SUPPRESS(float));
GEO_API int32_t geo_cuda_suppress_f64(GEO_CUDA_SUPPRESS(double));

/* geo_segment_reduce of api.h over sorted rows: ptr (S + 1) first row of each segment in order (N),
 * NULL where the rows ascend by id. The caller answers for the ids. */
#define GEO_CUDA_SEGMENT(T)                                                                     \
  const T *src, int64_t n, int64_t width, const int64_t *ptr, const int64_t *order,             \
      int64_t segments, int32_t kind, double fill, T *out, int32_t device, void *stream
GEO_API int32_t geo_cuda_segment_reduce_f32(GEO_CUDA_SEGMENT(float));
GEO_API int32_t geo_cuda_segment_reduce_f64(GEO_CUDA_SEGMENT(double));

/* geo_fps of api.h. far (N) is workspace. */
#define GEO_CUDA_FPS(T)                                                               \
  const T *points, int64_t n, int32_t dim, int64_t graphs, const int64_t *ptr,        \
      const int64_t *start, const int64_t *sample_ptr, T *far, int64_t *index, int32_t device, \
      void *stream
GEO_API int32_t geo_cuda_fps_f32(GEO_CUDA_FPS(float));
GEO_API int32_t geo_cuda_fps_f64(GEO_CUDA_FPS(double));

#ifdef __cplusplus
}
#endif
#endif
