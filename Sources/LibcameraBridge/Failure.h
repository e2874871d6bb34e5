// Why a call failed.
#pragma once

#include <cstring>
#include <stdexcept>
#include <string>

/// Thrown within the bridge only.
class Failure : public std::runtime_error {
public:
  /// - Parameter code: a negative errno.
  Failure(int code, const std::string &reason) : std::runtime_error(reason), code(code) {}

  /// A call of libcamera's that returned a negative errno.
  static Failure of(const std::string &call, int code) { const char *name = strerrorname_np(-code);
    return Failure(code, call + ": " + std::strerror(-code) + " (" + (name ? name : "unknown") + ")"); }

  const int code;
};
