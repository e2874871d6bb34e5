// The memory that a camera fills.
#pragma once

#include "LibcameraBridge.h"
#include "Planes.h"

#include <libcamera/libcamera.h>

#include <memory>
#include <string>
#include <vector>

/// A mapped dma-buf.
class Mapping {
public:
  /// Throws a Failure. The descriptor must stay open as long as this is.
  Mapping(int descriptor, size_t length);
  ~Mapping();
  Mapping(Mapping &&other) noexcept;
  Mapping(const Mapping &) = delete;
  Mapping &operator=(const Mapping &) = delete;

  int descriptor() const { return descriptor_; }
  const uint8_t *start() const { return start_; }
  size_t length() const { return length_; }

  /// Brackets what the CPU reads (DMA_BUF_IOCTL_SYNC): caches are told of it.
  void beginReading() const { sync(true); }
  void endReading() const { sync(false); }

private:
  void sync(bool begins) const;

  int descriptor_;
  uint8_t *start_;
  size_t length_;
};

/// A frame's buffer, mapped.
struct Buffer {
  /// Where it is ours.
  std::unique_ptr<libcamera::FrameBuffer> own;
  libcamera::FrameBuffer *frame = nullptr;
  std::vector<Mapping> mappings;
  lcb_plane planes[LCB_PLANES] = {};

  void beginReading() const;
  void endReading() const;
};

/// All buffers of a stream.
class Buffers {
public:
  /// Out of a heap of the kernel's (/dev/dma_heap), for libcamera to import: of cached memory, if there is such. Reading
  /// what is not cached is slow, and encoding reads a lot. Nothing where there is no heap, or it has not enough.
  static std::unique_ptr<Buffers> ofHeap(const libcamera::StreamConfiguration &configuration);
  /// libcamera's own. Throws a Failure.
  static std::unique_ptr<Buffers> ofLibcamera(
      std::shared_ptr<libcamera::Camera> camera, const libcamera::StreamConfiguration &configuration);

  std::vector<Buffer> &all() { return buffers_; }
  /// The heap's name; empty: they are libcamera's.
  const std::string &heap() const { return heap_; }

private:
  void add(libcamera::FrameBuffer *frame, std::unique_ptr<libcamera::FrameBuffer> own, const Planes &planes);

  std::string heap_;
  // Before the buffers, which point to its frames.
  std::unique_ptr<libcamera::FrameBufferAllocator> allocator_;
  std::vector<Buffer> buffers_;
};
