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

// Calls visit(item) in ascending order of the keys, equal ones in the order of their rows.
template <class Layout, class F>
void each_sorted(const Layout& layout, const std::vector<uint64_t>& keys, int key_bits, int threads,
                 const F& visit) {
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
  for (int64_t i = 0; i < n; ++i) visit(items[i]);
}

// Calls f(layout, bits of a key) with the layout that the keys fit.
template <class F>
void with_layout(const std::vector<uint64_t>& keys, const F& f) {
  uint64_t all = 0;
  for (const uint64_t key : keys) all |= key;
  const int key_bits = bits_of(all), row_bits = bits_of(keys.size() - 1);
  if (key_bits + row_bits <= 64 && row_bits < 64)
    f(Packed{row_bits}, key_bits);
  else
    f(Wide{}, key_bits);
}

}  // namespace

int64_t rank_keys(std::vector<uint64_t>& keys, int threads) {
  if (keys.empty()) return 0;
  int64_t rank = -1;
  with_layout(keys, [&](const auto& layout, int key_bits) {
    uint64_t before = 0;
    each_sorted(layout, keys, key_bits, threads, [&](const auto& item) {
      const uint64_t key = layout.key(item);
      if (rank < 0 || key != before) ++rank;
      before = key;
      keys[layout.row(item)] = static_cast<uint64_t>(rank);
    });
  });
  return rank + 1;
}

std::vector<uint32_t> sort_by_key(const std::vector<uint64_t>& keys, int threads) {
  std::vector<uint32_t> rows;
  if (keys.empty()) return rows;
  rows.reserve(keys.size());
  with_layout(keys, [&](const auto& layout, int key_bits) {
    each_sorted(layout, keys, key_bits, threads, [&](const auto& item) {
      rows.push_back(static_cast<uint32_t>(layout.row(item)));
    });
  });
  return rows;
}

}  // namespace geo
