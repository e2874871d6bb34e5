// Where the planes of a picture lie.
#pragma once

#include <libcamera/libcamera.h>

#include <cstddef>
#include <cstdint>

/// A format's four characters, as a number.
constexpr uint32_t code(const char (&name)[5]) {
  return uint32_t(name[0]) | uint32_t(name[1]) << 8 | uint32_t(name[2]) << 16 | uint32_t(name[3]) << 24;
}

/// The planes of a format, as V4L2 and libcamera lay them out: behind each other, each with lines of its own length.
struct Planes {
  uint32_t count = 1;
  /// Bytes from line to line.
  uint32_t strides[3] = {0, 0, 0};
  size_t bytes[3] = {0, 0, 0};

  explicit Planes(const libcamera::StreamConfiguration &configuration) {
    const uint32_t height = configuration.size.height, half = (height + 1) / 2, stride = configuration.stride;
    switch (configuration.pixelFormat.fourcc()) {
    case code("YU12"):
    case code("YV12"): set(stride, height, 3, (stride + 1) / 2, half); break;
    case code("YU16"):
    case code("YV16"): set(stride, height, 3, (stride + 1) / 2, height); break;
    case code("NV12"):
    case code("NV21"): set(stride, height, 2, stride, half); break;
    case code("NV16"):
    case code("NV61"): set(stride, height, 2, stride, height); break;
    default:
      strides[0] = stride;
      bytes[0] = configuration.frameSize;
    }
    // Drivers may want room behind.
    if (total() < configuration.frameSize)
      bytes[count - 1] += configuration.frameSize - total();
  }

  size_t total() const { return bytes[0] + bytes[1] + bytes[2]; }

  /// Bytes before a plane, where all are in one memory.
  size_t offset(uint32_t plane) const { return (plane > 0 ? bytes[0] : 0) + (plane > 1 ? bytes[1] : 0); }

private:
  void set(uint32_t stride, uint32_t lines, uint32_t planes, uint32_t chromaStride, uint32_t chromaLines) {
    count = planes;
    strides[0] = stride;
    bytes[0] = size_t(stride) * lines;
    for (uint32_t plane = 1; plane < planes; plane++) {
      strides[plane] = chromaStride;
      bytes[plane] = size_t(chromaStride) * chromaLines;
    }
  }
};
