// A queue between two threads.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

/// A queue with room for all buffers: one thread puts numbers in, one takes them out, and neither ever waits.
class Ring {
public:
  static constexpr uint32_t room = 64;

  /// Returns whether there was room.
  bool put(uint32_t number) {
    uint32_t end = end_.load(std::memory_order_relaxed);
    if (end - begin_.load(std::memory_order_acquire) == room)
      return false;
    numbers_[end % room] = number;
    end_.store(end + 1, std::memory_order_release);
    return true;
  }

  /// Returns whether there was one.
  bool take(uint32_t &number) {
    uint32_t begin = begin_.load(std::memory_order_relaxed);
    if (begin == end_.load(std::memory_order_acquire))
      return false;
    number = numbers_[begin % room];
    begin_.store(begin + 1, std::memory_order_release);
    return true;
  }

  /// The number that was taken last is the next one again. For the thread that takes.
  void putBack() { begin_.fetch_sub(1, std::memory_order_release); }

  /// For the thread that takes.
  bool isEmpty() const {
    return begin_.load(std::memory_order_relaxed) == end_.load(std::memory_order_acquire);
  }

private:
  std::array<uint32_t, room> numbers_{};
  // On cache lines of their own: each is written by another thread.
  alignas(64) std::atomic<uint32_t> begin_{0};
  alignas(64) std::atomic<uint32_t> end_{0};
};
