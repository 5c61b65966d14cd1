// Condenses one event without Python: condense EVENT.csv D RADIUS. A line per node: its follower (D
// numbers), then its influencer (D). Prints the instance of each node, -1 for noise, numbered as by
// geoinfluencer.condense(..., radius=RADIUS, min_share=0).
#include <geoinfluencer/api.h>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <vector>

int main(int argc, char** argv) {
  const int dim = argc == 4 ? std::atoi(argv[2]) : 0, threads = 2;
  if (dim < 1) return std::fprintf(stderr, "usage: condense EVENT.csv D RADIUS\n"), 2;
  const float r = std::strtof(argv[3], nullptr);
  std::ifstream file(argv[1]);
  std::vector<float> f, h, kept;  // followers (N, D), influencers (N, D), those that stay (K, D)
  float value, energy = 0;
  for (int64_t i = 0; file >> value; ++i, file.ignore()) (i / dim % 2 ? h : f).push_back(value);
  if (!file.eof() || f.size() != h.size() || f.size() % dim)
    return std::fprintf(stderr, "%s: not readable as lines of 2 x %d numbers\n", argv[1], dim), 2;
  const int64_t n = static_cast<int64_t>(h.size()) / dim, *null = nullptr;  // one graph, no ids
  std::vector<int64_t> followers(n), visit(n), nearest(n, -1), id(n, -1);
  std::vector<uint8_t> keep(n);
  std::vector<float> d2(n);
  int64_t active = 0, count = 0;
  int error = geo_potential_f32(f.data(), n, h.data(), n, dim, 1, null, null, null, null, nullptr,
                                nullptr, r, 2, threads, &energy, &active, nullptr, nullptr);
  error |= geo_radius_count_f32(f.data(), n, h.data(), n, dim, 1, null, null, r, threads, followers.data());
  for (int64_t i = 0; i < n; ++i) visit[i] = i;  // the most followed first
  std::stable_sort(visit.begin(), visit.end(), [&](auto a, auto b) { return followers[a] > followers[b]; });
  error |= geo_suppress_f32(h.data(), n, dim, 1, null, visit.data(), r, threads, keep.data());
  for (int64_t i = 0; i < n; ++i)
    if (keep[i] && followers[i]) kept.insert(kept.end(), &h[i * dim], &h[i * dim] + dim);
  error |= geo_knn_f32(kept.data(), static_cast<int64_t>(kept.size()) / dim, f.data(), n, dim, 1, null,
                       null, 1, threads, nearest.data(), d2.data());
  if (error) return std::fprintf(stderr, "error %d\n", error), 1;
  for (int64_t i = 0; i < n; ++i) d2[i] <= r * r ? id[nearest[i]] = 0 : nearest[i] = -1;
  for (int64_t& k : id) k = k < 0 ? -1 : count++;  // numbers for those that anybody joined
  for (const int64_t k : nearest) std::printf("%d\n", k < 0 ? -1 : static_cast<int>(id[k]));
  std::fprintf(stderr, "%d nodes, %d instances, potential %.9g of %d pairs\n", static_cast<int>(n),
               static_cast<int>(count), energy, static_cast<int>(active));
}
