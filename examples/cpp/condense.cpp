// Condenses one event without Python: condense EVENT.csv D RADIUS. A line per node holds its
// follower embedding (D numbers), then its influencer embedding (D). Prints the instance of each
// node, -1 for noise, as geoinfluencer.condense(..., radius=RADIUS, min_share=0) numbers them.
#include <geoinfluencer/api.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <vector>

static void require(int32_t code) {
  if (code != GEO_OK) std::exit(std::fprintf(stderr, "error %d\n", code));
}

int main(int argc, char** argv) {
  const int dim = argc == 4 ? std::atoi(argv[2]) : 0, threads = 2;
  if (dim < 1) return std::fprintf(stderr, "usage: condense EVENT.csv D RADIUS\n"), 2;
  const float r = std::strtof(argv[3], nullptr);
  std::ifstream file(argv[1]);
  std::vector<float> f, h;  // followers and influencers (N, D)
  float value;
  for (int64_t i = 0; file >> value; ++i, file.ignore()) (i / dim % 2 ? h : f).push_back(value);
  const int64_t n = static_cast<int64_t>(h.size()) / dim;

  float energy;
  int64_t active, *no_ptr = nullptr, *no_ids = nullptr;
  require(geo_potential_f32(f.data(), n, h.data(), n, dim, 1, no_ptr, no_ptr, no_ids, no_ids,
                            nullptr, nullptr, r, 2, threads, &energy, &active, nullptr, nullptr));

  std::vector<int64_t> followers(n), visit(n), nearest(n);
  require(geo_radius_count_f32(f.data(), n, h.data(), n, dim, 1, no_ptr, no_ptr, r, threads,
                               followers.data()));
  for (int64_t i = 0; i < n; ++i) visit[i] = i;  // the most followed first
  std::stable_sort(visit.begin(), visit.end(),
                   [&](int64_t a, int64_t b) { return followers[a] > followers[b]; });
  std::vector<uint8_t> keep(n);
  require(geo_suppress_f32(h.data(), n, dim, 1, no_ptr, visit.data(), r, threads, keep.data()));
  std::vector<float> kept, dist2(n);  // (K, D), (N)
  for (int64_t i = 0; i < n; ++i)
    if (keep[i] && followers[i]) kept.insert(kept.end(), &h[i * dim], &h[i * dim] + dim);
  require(geo_knn_f32(kept.data(), static_cast<int64_t>(kept.size()) / dim, f.data(), n, dim, 1,
                      no_ptr, no_ptr, 1, threads, nearest.data(), dist2.data()));

  std::vector<int64_t> id(kept.size() / dim, -1);  // of the kept ones that anybody joined
  int64_t instances = 0;
  for (int64_t i = 0; i < n; ++i)
    dist2[i] <= r * r ? id[nearest[i]] = 0 : nearest[i] = -1;
  for (int64_t& number : id)
    if (number == 0) number = instances++;
  for (const int64_t k : nearest) std::printf("%d\n", k < 0 ? -1 : static_cast<int>(id[k]));
  std::fprintf(stderr, "%d nodes, %d instances, potential %.9g of %d pairs\n", static_cast<int>(n),
               static_cast<int>(instances), energy, static_cast<int>(active));
}
