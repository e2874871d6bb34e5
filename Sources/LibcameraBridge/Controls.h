// A camera's controls, as numbers.
#pragma once

#include "LibcameraBridge.h"

#include <libcamera/libcamera.h>

#include <deque>
#include <string>
#include <vector>

/// The controls of a camera, described in plain types.
class Controls {
public:
  explicit Controls(const libcamera::ControlInfoMap &map);

  const std::vector<lcb_control> &all() const { return controls_; }

  /// The value that numbers stand for. Throws a Failure where a control has another number of them.
  static libcamera::ControlValue value(
      const libcamera::ControlId &id, const libcamera::ControlInfo &info, const double *numbers, uint32_t count);

private:
  // Addresses that stay.
  std::deque<std::string> names_;
  std::deque<std::vector<lcb_choice>> choices_;
  std::vector<lcb_control> controls_;
};
