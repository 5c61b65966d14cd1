// A radix sort of (key, row), least significant digit first, and a walk over the sorted keys. A key
// and its row share one word where they fit, which halves the traffic.
#include "cpu/ranks.h"

#include <algorithm>
#include <memory>

namespace geo {
namespace {

constexpr int kDigit = 11;
constexpr int kDigits = 1 << kDigit;
constexpr int64_t kShare = 1 << 15;  // rows that are worth a thread

// Key and row in one word: the row in the low bits.
struct Packed {
  int row_bits;
  using Item = uint64_t;
  Item make(uint64_t key, uint64_t row) const { return key << row_bits | row; }
  uint64_t key(Item item) const { return item >> row_bits; }
  uint64_t row(Item item) const { return item & ((uint64_t{1} << row_bits) - 1); }
};

struct Wide {
  struct Item {
    uint64_t first;
    uint32_t second;
  };
  Item make(uint64_t key, uint64_t row) const { return {key, static_cast<uint32_t>(row)}; }
  uint64_t key(Item item) const { return item.first; }
  uint64_t row(Item item) const { return item.second; }
};

template <class Layout>
int64_t rank_items(const Layout& layout, std::vector<uint64_t>& keys, int key_bits, int threads) {
  using Item = typename Layout::Item;
  const int64_t n = static_cast<int64_t>(keys.size());
  const int shares = static_cast<int>(std::max<int64_t>(1, std::min<int64_t>(threads, n / kShare)));
  const std::unique_ptr<Item[]> memory(new Item[2 * n]);
  Item *items = memory.get(), *sorted = items + n;
  for (int64_t i = 0; i < n; ++i) items[i] = layout.make(keys[i], i);
  std::vector<int64_t> begin(static_cast<size_t>(shares) * kDigits);
  for (int shift = 0; shift < key_bits; shift += kDigit) {
    const auto digit = [&](Item item) { return (layout.key(item) >> shift) & (kDigits - 1); };
#pragma omp parallel for num_threads(shares) schedule(static)
    for (int p = 0; p < shares; ++p) {
      int64_t* count = begin.data() + p * kDigits;
      std::fill_n(count, kDigits, int64_t{0});
      for (int64_t i = n * p / shares; i < n * (p + 1) / shares; ++i) ++count[digit(items[i])];
    }
    int64_t total = 0;  // digit by digit, in each the shares in their order: stable
    for (int d = 0; d < kDigits; ++d)
      for (int p = 0; p < shares; ++p) {
        const int64_t count = begin[p * kDigits + d];
        begin[p * kDigits + d] = total;
        total += count;
      }
#pragma omp parallel for num_threads(shares) schedule(static)
    for (int p = 0; p < shares; ++p) {
      int64_t* next = begin.data() + p * kDigits;
      for (int64_t i = n * p / shares; i < n * (p + 1) / shares; ++i)
        sorted[next[digit(items[i])]++] = items[i];
    }
    std::swap(items, sorted);
  }
  int64_t rank = -1;
  for (int64_t i = 0; i < n; ++i) {
    if (i == 0 || layout.key(items[i]) != layout.key(items[i - 1])) ++rank;
    keys[layout.row(items[i])] = static_cast<uint64_t>(rank);
  }
  return rank + 1;
}

}  // namespace

int64_t rank_keys(std::vector<uint64_t>& keys, int threads) {
  if (keys.empty()) return 0;
  uint64_t all = 0;
  for (const uint64_t key : keys) all |= key;
  const int key_bits = bits_of(all), row_bits = bits_of(keys.size() - 1);
  if (key_bits + row_bits <= 64 && row_bits < 64)
    return rank_items(Packed{row_bits}, keys, key_bits, threads);
  return rank_items(Wide{}, keys, key_bits, threads);
}

}  // namespace geo
