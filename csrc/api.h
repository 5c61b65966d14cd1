/* The C ABI of geoinfluencer's kernels: no torch, no Python, plain pointers.
 *
 * Shapes: N points or rows, M second set, D dimensions, B graphs, Q queries, k neighbours, S
 * segments, F columns, V voxels. All arrays are dense, row-major and owned by the caller. `*_ptr`
 * are (B + 1) row pointers, NULL for one graph with all rows; they must start at 0, never decrease
 * and end at the number of rows (the caller checks). Kernels return GEO_OK or an error code, and
 * nothing throws.
 * Suffixes: _f32 and _f64 are the precisions. `threads` >= 1; the same input and number of threads
 * give bitwise the same output.
 */
#ifndef GEOINFLUENCER_API_H
#define GEOINFLUENCER_API_H

#include <stdint.h>

#if defined(_WIN32) && defined(GEO_BUILDING)
#define GEO_API __declspec(dllexport)
#elif defined(_WIN32)
#define GEO_API __declspec(dllimport)
#else
#define GEO_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

enum {
  GEO_OK = 0,
  GEO_BAD_ARGUMENT = 1, /* a size, power or k out of range */
  GEO_NO_MEMORY = 2,
  GEO_ID_RANGE = 3, /* an instance id does not fit 32 bits: renumber (f32 only); an id that is not
                       in 0..S-1; a grid cell that does not fit 62 bits or is not a number */
  GEO_CUDA_ERROR = 1000 /* + cudaError_t */
};

/* Raised whenever a signature changes; the loader refuses another number. */
GEO_API int32_t geo_abi_version(void);

/* The instruction set chosen at run time: "avx512", "avx2" or "baseline". */
GEO_API const char* geo_isa(void);

/* Gives back the scratch memory, 256 MiB at most, that is kept from one call to the next. */
GEO_API void geo_release_memory(void);

/* Asks Linux for huge pages where memory is 4 MiB or more and not in use yet: advice, no promise. */
GEO_API void geo_ask_huge_pages(void* memory, int64_t bytes);

/* Sum of hinge potentials max(0, radius - |x_i - y_j|)^power over the pairs of each graph.
 *
 * x (N, D); y (M, D), or NULL: every unordered pair of x once. x_instance (N), y_instance (M): both
 * or neither (x_instance alone when y is NULL); only pairs of different ids count, a negative id
 * differs from everything. x_weight (N), y_weight (M): NULL for 1; a zero weight takes no part.
 * energy (B), active (B); grad_x (N, D) and grad_y (M, D) are NULL when no gradient is wanted.
 */
#define GEO_POTENTIAL(T)                                                                         \
  const T *x, int64_t n, const T *y, int64_t m, int32_t dim, int64_t graphs,                     \
      const int64_t *x_ptr, const int64_t *y_ptr, const int64_t *x_instance,                     \
      const int64_t *y_instance, const T *x_weight, const T *y_weight, double radius,            \
      int32_t power, int32_t threads, T *energy, int64_t *active, T *grad_x, T *grad_y
GEO_API int32_t geo_potential_f32(GEO_POTENTIAL(float));
GEO_API int32_t geo_potential_f64(GEO_POTENTIAL(double));

/* The k <= 128 nearest points of each query of the same graph, nearest first, ties by index.
 *
 * points (N, D); queries (Q, D), or NULL: the points, each one excluded from its own list.
 * index (Q, k), dist2 (Q, k): -1 and inf where there are fewer.
 */
#define GEO_KNN(T)                                                                             \
  const T *points, int64_t n, const T *queries, int64_t q, int32_t dim, int64_t graphs,        \
      const int64_t *ptr, const int64_t *query_ptr, int32_t k, int32_t threads, int64_t *index, \
      T *dist2
GEO_API int32_t geo_knn_f32(GEO_KNN(float));
GEO_API int32_t geo_knn_f64(GEO_KNN(double));

/* All points within r of each query, in two steps, because the number is not known before.
 *
 * geo_radius_* searches, fills row_ptr (Q + 1) and keeps the lists behind `handle`; allocate
 * index (row_ptr[Q]) and call geo_radius_take, which fills it and frees the handle (index may be
 * NULL: only free). Rows are sorted by distance, then index; max_neighbors < 0 keeps all, else the
 * nearest so many. geo_radius_count_* only counts: count (Q).
 */
#define GEO_RADIUS(T)                                                                   \
  const T *points, int64_t n, const T *queries, int64_t q, int32_t dim, int64_t graphs, \
      const int64_t *ptr, const int64_t *query_ptr, double r, int32_t threads
GEO_API int32_t geo_radius_f32(GEO_RADIUS(float), int64_t max_neighbors, int64_t* row_ptr,
                               void** handle);
GEO_API int32_t geo_radius_f64(GEO_RADIUS(double), int64_t max_neighbors, int64_t* row_ptr,
                               void** handle);
GEO_API int32_t geo_radius_take(void* handle, int64_t* index);
GEO_API int32_t geo_radius_count_f32(GEO_RADIUS(float), int64_t* count);
GEO_API int32_t geo_radius_count_f64(GEO_RADIUS(double), int64_t* count);

/* Greedy non-maximum suppression.
 *
 * visit (N): for each graph its rows in order of preference, as row numbers of the whole set.
 * keep (N) bytes: 1 where no earlier kept point of the graph lies within radius.
 */
#define GEO_SUPPRESS(T)                                                                   \
  const T *points, int64_t n, int32_t dim, int64_t graphs, const int64_t *ptr,            \
      const int64_t *visit, double radius, int32_t threads, uint8_t *keep
GEO_API int32_t geo_suppress_f32(GEO_SUPPRESS(float));
GEO_API int32_t geo_suppress_f64(GEO_SUPPRESS(double));

/* Reductions over the rows that share an id, ids (N) in 0..S-1 in any order.
 *
 * geo_segment_reduce_*: src (N, F) -> out (S, F), where a segment is empty `fill`, or 0 for a sum.
 * NaN wins over numbers in a minimum or maximum. Ids that ascend are seen and reduced faster.
 * geo_segment_gather_*: values (S, F) -> out (N, F), the row of each id: the gradient of a sum.
 * geo_segment_count: count (S). All give bitwise the same output for any number of threads.
 */
enum { GEO_SUM = 0, GEO_MIN = 1, GEO_MAX = 2 };

#define GEO_SEGMENT_REDUCE(T)                                                                \
  const T *src, int64_t n, int64_t width, const int64_t *index, int64_t segments,            \
      int32_t kind, double fill, int32_t threads, T *out
GEO_API int32_t geo_segment_reduce_f32(GEO_SEGMENT_REDUCE(float));
GEO_API int32_t geo_segment_reduce_f64(GEO_SEGMENT_REDUCE(double));

#define GEO_SEGMENT_GATHER(T)                                                                 \
  const T *values, int64_t segments, int64_t width, const int64_t *index, int64_t n,          \
      int32_t threads, T *out
GEO_API int32_t geo_segment_gather_f32(GEO_SEGMENT_GATHER(float));
GEO_API int32_t geo_segment_gather_f64(GEO_SEGMENT_GATHER(double));

GEO_API int32_t geo_segment_count(const int64_t* index, int64_t n, int64_t segments,
                                  int64_t* count);

/* Farthest-point sampling: from start (B), rows of the whole set, on, each next sample of a graph
 * is the point farthest from those before, of equally far ones the smallest row; none comes twice.
 *
 * sample_ptr (B + 1): where the samples of each graph go, no more than it has points. index
 * (sample_ptr[B]): rows in the order they were picked. Points that are not finite come last.
 */
#define GEO_FPS(T)                                                                            \
  const T *points, int64_t n, int32_t dim, int64_t graphs, const int64_t *ptr,                \
      const int64_t *start, const int64_t *sample_ptr, int32_t threads, int64_t *index
GEO_API int32_t geo_fps_f32(GEO_FPS(float));
GEO_API int32_t geo_fps_f64(GEO_FPS(double));

/* Voxels: the cell floor((x - origin) / size) of each point, computed in double precision, and the
 * V cells that are not empty numbered by graph, then lexicographically.
 *
 * size (D) > 0; origin (D). cluster (N): voxel of each point; count (V), first (V): its points and
 * the smallest row of them; voxel_ptr (B + 1): first voxel of each graph, V = voxel_ptr[B]. V <= N
 * is not known before: give count and first room for N.
 */
#define GEO_GRID(T)                                                                           \
  const T *points, int64_t n, int32_t dim, int64_t graphs, const int64_t *ptr,                \
      const double *size, const double *origin, int32_t threads, int64_t *cluster,            \
      int64_t *count, int64_t *first, int64_t *voxel_ptr
GEO_API int32_t geo_grid_f32(GEO_GRID(float));
GEO_API int32_t geo_grid_f64(GEO_GRID(double));

/* Query profiles: with p_i = softmax(x_i1 .. x_iM, 0), the last being void, the weighted mean of
 * ln p over the rows of each segment.
 *
 * logits x (N, M), -inf in columns that do not exist; index (N) in any order, below S, negative: in
 * no segment; weight (N), NULL for 1, of which 0 is in no segment either. profile (S, M): mean
 * ln p_i[m], 0 where a segment is empty; log_void (N): ln p_i[void]; mass (S): sum of the weights.
 * level (N, 2): the largest logit of a row, void included, and the logarithm of the sum of the
 * exponentials relative to it, which is -ln p[void] in two parts that do not round each other.
 * geo_profiles_grad_*: grad_profile (S, M) and grad_void (N), NULL for 0 -> grad_logits (N, M); it
 * takes what the other wrote. A profile of -inf has no gradient.
 */
#define GEO_PROFILES(T)                                                                       \
  const T *logits, int64_t n, int64_t width, const int64_t *index, const T *weight,           \
      int64_t segments, int32_t threads, T *profile, T *log_void, T *mass, \
      T *level
GEO_API int32_t geo_profiles_f32(GEO_PROFILES(float));
GEO_API int32_t geo_profiles_f64(GEO_PROFILES(double));

#define GEO_PROFILES_GRAD(T)                                                                  \
  const T *logits, int64_t n, int64_t width, const int64_t *index, const T *weight,           \
      int64_t segments, const T *profile, const T *mass, const T *level,                      \
      const T *grad_profile, const T *grad_void, int32_t threads, T *grad_logits
GEO_API int32_t geo_profiles_grad_f32(GEO_PROFILES_GRAD(float));
GEO_API int32_t geo_profiles_grad_f64(GEO_PROFILES_GRAD(double));

/* Claims of queries: p_i[m] = exp(x_im + log_void_i) of the same softmax, summed over segments.
 *
 * logits x (N, M); log_void (N) as geo_profiles_* wrote it; segment (N) in 0..S-1, in any order;
 * weight (N), NULL for 1. claims (S, M): the weighted sums.
 * geo_claims_grad_*: grad_claims (S, M); ADDS the gradient of the logits to grad_logits (N, M).
 */
#define GEO_CLAIMS(T)                                                                            \
  const T *logits, int64_t n, int64_t width, const T *log_void, const int64_t *segment,          \
      const T *weight, int64_t segments, int32_t threads, T *claims
GEO_API int32_t geo_claims_f32(GEO_CLAIMS(float));
GEO_API int32_t geo_claims_f64(GEO_CLAIMS(double));

#define GEO_CLAIMS_GRAD(T)                                                                       \
  const T *logits, int64_t n, int64_t width, const T *log_void, const int64_t *segment,          \
      const T *weight, int64_t segments, const T *grad_claims, int32_t threads, T *grad_logits
GEO_API int32_t geo_claims_grad_f32(GEO_CLAIMS_GRAD(float));
GEO_API int32_t geo_claims_grad_f64(GEO_CLAIMS_GRAD(double));

/* Capacity coupling: for each graph the entropic assignment of its rows k to columns m that
 * maximises sum w_km c_km - T sum w_km ln w_km, where rows of w sum to 1 and columns to 1 at most,
 * or to K / M at most where a graph has more rows than columns.
 *
 * affinity c (K, M): -inf where a row may not go to a column; row_ptr (B + 1). With R the mean of
 * max_m c_km - c_km, T falls in quarters, ten temperatures at most, to min(tau R, max_temperature)
 * from tau_start R, with up to `iterations` balancings at each until no column is 1 % too full.
 * weight w (K, M): 0 for a row of -inf alone; NaN in a graph with NaN or +inf. One graph is one
 * thread's, so that the output is bitwise the same for any number of threads.
 */
#define GEO_COUPLING(T)                                                                        \
  const T *affinity, int64_t rows, int64_t width, int64_t graphs, const int64_t *row_ptr,      \
      double tau, double tau_start, double max_temperature, int32_t iterations,                \
      int32_t threads, T *weight
GEO_API int32_t geo_coupling_f32(GEO_COUPLING(float));
GEO_API int32_t geo_coupling_f64(GEO_COUPLING(double));

/* Superpixels (SLIC): segments of about equal area and of one colour, each connected (4 neighbours),
 * numbered 0.. by their first pixel in row-major order.
 *
 * image (H, W, channels), channels <= 4, H W < 2^31, on a scale on which distances are alike
 * (CIELAB). About `segments` cells of a grid are the first segments; `iterations` times each pixel
 * joins, of the centres of its own cell and the eight around it, the one with the least
 * |colour|^2 + (compactness / step)^2 |offset|^2, step = sqrt(H W / segments), and centres move to
 * the means. Parts of fewer than min_size pixels go to the neighbour of the nearest mean colour.
 * label (H, W); count (1): number of segments. Bitwise the same for any number of threads.
 */
GEO_API int32_t geo_slic(const float* image, int64_t height, int64_t width, int32_t channels,
                         int64_t segments, double compactness, int32_t iterations,
                         int64_t min_size, int32_t threads, int64_t* label, int64_t* count);

/* What the segments of an image are like, and which of them touch (4 neighbours).
 *
 * label (H, W) in 0..S-1, H W < 2^31; image (H, W, channels), channels <= 4. mass (S): pixels; center
 * (S, 2): mean x and y; mean, deviation (S, channels): of the colours, deviation with divisor n;
 * gradient (S): mean over the pixels of the mean distance in colour to their up to four neighbours.
 * All 0 where a segment is empty. Borders, P = pairs[0] of them, ordered by low, then high: low < high
 * (P) segments; length (P): pairs of pixels on both sides; strength (P): their mean distance in
 * colour. P <= min(2 H W, S (S - 1) / 2) is not known before: give these four room for so many.
 */
GEO_API int32_t geo_image_regions(const int64_t* label, const float* image, int64_t height,
                                  int64_t width, int32_t channels, int64_t segments, double* mass,
                                  double* center, double* mean, double* deviation,
                                  double* gradient, int64_t* low, int64_t* high, double* length,
                                  double* strength, int64_t* pairs);

/* Segments of a graph (Felzenszwalb, Huttenlocher 2004), connected, numbered 0.. by their first node.
 *
 * from, to, weight (E): undirected edges, each once or in both directions, E < 2^31; nodes < 2^31.
 * Edges in the order of their weights (equal ones as given) join the segments a and b of their ends
 * where weight <= min(I_a + scale / n_a, I_b + scale / n_b), n the nodes of a segment and I the
 * weight that joined it last, which is its greatest. Then, in that order again, an edge joins two
 * segments one of which has fewer than min_size nodes. A weight that is NaN joins in the end only.
 * label (nodes); count (1): number of segments. Bitwise the same for any number of threads.
 */
GEO_API int32_t geo_felzenszwalb(const int64_t* from, const int64_t* to, const float* weight,
                                 int64_t edges, int64_t nodes, double scale, int64_t min_size,
                                 int32_t threads, int64_t* label, int64_t* count);

#ifdef __cplusplus
}
#endif
#endif
