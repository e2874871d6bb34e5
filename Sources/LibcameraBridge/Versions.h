// Where libcamera's versions from 0.0.3 to 0.7 differ.
#pragma once

#include <libcamera/libcamera.h>

#include <cstdint>
#include <string>

// Before 0.2 a configuration has a transform, since then an orientation.
#if __has_include(<libcamera/orientation.h>)
#define LCB_HAS_ORIENTATION 1
#else
#define LCB_HAS_ORIENTATION 0
#endif

// Since 0.4 there are unsigned numbers of 16 and 32 bits.
#if LIBCAMERA_VERSION_MAJOR > 0 || LIBCAMERA_VERSION_MINOR >= 4
#define LCB_HAS_UNSIGNED 1
#else
#define LCB_HAS_UNSIGNED 0
#endif

// Before 0.5.2 a driver that refuses a buffer has libcamera end the program when the camera is stopped.
#if LIBCAMERA_VERSION_MAJOR > 0 || LIBCAMERA_VERSION_MINOR > 5                                                            \
    || (LIBCAMERA_VERSION_MINOR == 5 && LIBCAMERA_VERSION_PATCH >= 2)
#define LCB_SURVIVES_REFUSAL 1
#else
#define LCB_SURVIVES_REFUSAL 0
#endif

namespace versions {

/// Turns the picture: bit 0 left to right, bit 1 upside down.
inline void setFlip(libcamera::CameraConfiguration &configuration, uint32_t flip) {
#if LCB_HAS_ORIENTATION
  using libcamera::Orientation;
  static constexpr Orientation ways[] = {Orientation::Rotate0, Orientation::Rotate0Mirror, Orientation::Rotate180Mirror,
                                         Orientation::Rotate180};
  configuration.orientation = ways[flip & 3];
#else
  configuration.transform = static_cast<libcamera::Transform>(flip & 3);
#endif
}

/// How the picture is turned; what is neither of it is as it was.
inline uint32_t flip(const libcamera::CameraConfiguration &configuration) {
#if LCB_HAS_ORIENTATION
  using libcamera::Orientation;
  switch (configuration.orientation) {
  case Orientation::Rotate0Mirror: return 1;
  case Orientation::Rotate180Mirror: return 2;
  case Orientation::Rotate180: return 3;
  default: return 0;
  }
#else
  return static_cast<uint32_t>(configuration.transform) & 3;
#endif
}

/// The name of a choice of a control's menu: since 0.4.
template <typename Id>
auto choiceName(const Id &id, int32_t value, int) -> decltype(id.enumerators(), std::string()) {
  auto found = id.enumerators().find(value);
  return found == id.enumerators().end() ? std::string() : found->second;
}
template <typename Id> std::string choiceName(const Id &, int32_t, long) { return {}; }

/// How many values a control takes, if it takes several: since 0.4. 0: any.
template <typename Id> auto arraySize(const Id &id, int) -> decltype(id.isArray(), uint32_t()) {
  // What has no size of its own says it with the largest number.
  return id.isArray() && id.size() < 64 ? static_cast<uint32_t>(id.size()) : 0;
}
template <typename Id> uint32_t arraySize(const Id &, long) { return 0; }

template <typename Id> auto isArray(const Id &id, int) -> decltype(id.isArray(), bool()) { return id.isArray(); }
template <typename Id> bool isArray(const Id &, long) { return false; }

/// It only shows something: since 0.4.
template <typename Id> auto isOutputOnly(const Id &id, int) -> decltype(id.isInput(), bool()) { return !id.isInput(); }
template <typename Id> bool isOutputOnly(const Id &, long) { return false; }

/// A frame from before the pipeline had adjusted itself: since 0.5.1.
template <typename Metadata> auto isStartup(const Metadata &metadata, int) -> decltype(Metadata::FrameStartup, bool()) {
  return metadata.status == Metadata::FrameStartup;
}
template <typename Metadata> bool isStartup(const Metadata &, long) { return false; }

} // namespace versions
