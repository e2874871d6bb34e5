// libcamera's camera manager.
#pragma once

#include <libcamera/libcamera.h>

#include <memory>
#include <vector>

/// A share in the camera manager: libcamera allows one of them in a process. It ends with the last share, and its thread.
class Manager {
public:
  /// Throws a Failure where it can't be started.
  Manager();
  ~Manager();
  Manager(const Manager &) = delete;
  Manager &operator=(const Manager &) = delete;

  std::vector<std::shared_ptr<libcamera::Camera>> cameras() const;
};
