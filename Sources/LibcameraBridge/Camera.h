// A camera of libcamera's.
#pragma once

#include "Controls.h"
#include "LibcameraBridge.h"
#include "Manager.h"
#include "Stream.h"

#include <libcamera/libcamera.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

/// One camera, from its name to its stream.
class Camera {
public:
  Camera() = default;
  ~Camera();
  Camera(const Camera &) = delete;
  Camera &operator=(const Camera &) = delete;

  // All of these throw a Failure.
  void open(const std::string &name);
  lcb_description describe();
  lcb_stream configure(const lcb_wish &wish);
  void set(const std::string &name, const double *numbers, uint32_t count);
  lcb_memory start();

  int descriptor() const { return stream_ ? stream_->descriptor() : -1; }
  /// As lcb_functions has it.
  int take(lcb_frame &frame);
  void giveBack(uint32_t buffer);
  void stop();

  /// Why the last call failed.
  std::string reason;

  static lcb_identity identity(const libcamera::Camera &camera, std::string &model);

private:
  libcamera::StreamConfiguration &stream() { return configuration_->at(0); }
  bool isOneMemory();

  // In the order in which they depend on each other: the first goes last.
  std::optional<Manager> manager_;
  std::shared_ptr<libcamera::Camera> camera_;
  bool isAcquired_ = false;
  std::string model_;
  std::vector<lcb_mode> modes_;
  std::unique_ptr<Controls> described_;
  std::unique_ptr<libcamera::CameraConfiguration> configuration_;
  libcamera::ControlList controls_;
  bool isOneMemory_ = true;
  std::unique_ptr<Stream> stream_;
};
