// Memory for the kernels: aligned to a cache line, so that no vector crosses one, and not cleared.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace geo {

// Memory aligned to a cache line; std::bad_alloc. What is given back may be taken again by a later
// call without asking the operating system, see memory.cpp. `bytes` are the same in both.
void* take_memory(size_t bytes);
void give_memory(void* memory, size_t bytes);

// Asks Linux for huge pages where memory, anybody's, is 4 MiB or more and not in use yet: it is then
// cleared faster. Advice, which may come to nothing.
void ask_huge_pages(void* memory, size_t bytes);

template <class T>
class Array {
 public:
  Array() = default;
  explicit Array(int64_t size) { reset(size); }
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;
  Array(Array&& other) noexcept { swap(other); }
  Array& operator=(Array&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Array() { release(); }

  // New memory of `size` elements, whose values are whatever was there.
  void reset(int64_t size) {
    release();
    if (size > 0) data_ = static_cast<T*>(take_memory(static_cast<size_t>(size) * sizeof(T)));
    size_ = size;
  }
  void reset(int64_t size, T value) {
    reset(size);
    std::fill_n(data_, size, value);
  }
  void release() {
    if (data_) give_memory(data_, static_cast<size_t>(size_) * sizeof(T));
    data_ = nullptr;
    size_ = 0;
  }

  T* data() { return data_; }
  const T* data() const { return data_; }
  int64_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T& operator[](int64_t i) { return data_[i]; }
  const T& operator[](int64_t i) const { return data_[i]; }

 private:
  void swap(Array& other) {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
  }

  T* data_ = nullptr;
  int64_t size_ = 0;
};

}  // namespace geo
