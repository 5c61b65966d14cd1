// Scratch memory of the kernels. Pages that go back to the operating system have to be cleared when
// they come again, which cost a fifth of a call on 100,000 points; so a bounded amount is kept.
#include <mutex>
#include <new>
#include <vector>

#include "api.h"
#include "cpu/array.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace geo {
namespace {

constexpr size_t kLine = 64, kPage = size_t{1} << 21;
constexpr size_t kHuge = 2 * kPage;             // from here on in huge pages
constexpr size_t kWorth = size_t{1} << 15;      // smaller blocks are left to the allocator
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1  // GCC's name for it
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
constexpr size_t kKept = 0;  // a block taken again would hide a use after its release
#else
constexpr size_t kKept = size_t{256} << 20;  // bytes kept at most
#endif

// Few sizes, so that blocks fit again: eight steps to the next power of two.
size_t rounded(size_t bytes) {
  if (bytes < kWorth) return bytes;
  size_t step = kWorth / 8;
  while (step * 16 <= bytes) step *= 2;
  return (bytes + step - 1) / step * step;
}

std::align_val_t alignment(size_t bytes) {
  return std::align_val_t{bytes >= kHuge ? kPage : kLine};
}

void* allocate(size_t bytes) {
  void* memory = ::operator new(bytes, alignment(bytes));
  ask_huge_pages(memory, bytes);
  return memory;
}

void free_block(void* memory, size_t bytes) { ::operator delete(memory, alignment(bytes)); }

struct Block {
  void* memory;
  size_t bytes;
};

// Blocks kept, oldest first. A kernel that does not get the lock at once does without: none ever
// waits, not even after a fork that caught the lock closed.
struct Kept {
  std::mutex mutex;
  std::vector<Block> blocks;
  size_t bytes = 0;

  void* find(size_t wanted) {
    for (size_t i = blocks.size(); i-- > 0;) {
      if (blocks[i].bytes != wanted) continue;
      void* memory = blocks[i].memory;
      blocks.erase(blocks.begin() + static_cast<std::ptrdiff_t>(i));
      bytes -= wanted;
      return memory;
    }
    return nullptr;
  }
  void drop_oldest() {
    free_block(blocks.front().memory, blocks.front().bytes);
    bytes -= blocks.front().bytes;
    blocks.erase(blocks.begin());
  }
};

Kept& kept() {
  static Kept* const all = new Kept;  // never destroyed: threads may outlive static objects
  return *all;
}

}  // namespace

void ask_huge_pages(void* memory, size_t bytes) {
#if defined(__linux__)
  if (bytes < kHuge) return;
  const uintptr_t begin = reinterpret_cast<uintptr_t>(memory);
  const uintptr_t first = (begin + kPage - 1) / kPage * kPage, last = (begin + bytes) / kPage * kPage;
  (void)madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);
#else
  (void)memory;
  (void)bytes;
#endif
}

void* take_memory(size_t bytes) {
  bytes = rounded(bytes);
  if (bytes >= kWorth) {
    Kept& all = kept();
    const std::unique_lock<std::mutex> lock(all.mutex, std::try_to_lock);
    if (lock)
      if (void* memory = all.find(bytes)) return memory;
  }
  return allocate(bytes);
}

void give_memory(void* memory, size_t bytes) {
  bytes = rounded(bytes);
  if (bytes >= kWorth && bytes <= kKept) {
    Kept& all = kept();
    const std::unique_lock<std::mutex> lock(all.mutex, std::try_to_lock);
    if (lock) {
      try {
        all.blocks.push_back({memory, bytes});
        all.bytes += bytes;
        while (all.bytes > kKept) all.drop_oldest();
        return;
      } catch (const std::bad_alloc&) {  // then it goes back like any other
      }
    }
  }
  free_block(memory, bytes);
}

}  // namespace geo

extern "C" void geo_ask_huge_pages(void* memory, int64_t bytes) {
  geo::ask_huge_pages(memory, static_cast<size_t>(bytes));
}

extern "C" void geo_release_memory(void) {
  geo::Kept& all = geo::kept();
  const std::unique_lock<std::mutex> lock(all.mutex, std::try_to_lock);
  while (lock && !all.blocks.empty()) all.drop_oldest();
}
