// A camera of libcamera's.
#pragma once

#include "Buffers.h"
#include "Controls.h"
#include "LibcameraBridge.h"
#include "Manager.h"
#include "Ring.h"

#include <libcamera/libcamera.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// One camera, from its name to its frames. All of it is called by one thread, but `completed` and `disconnected`, which
/// libcamera's own thread calls: they note what happened, and raise the event, and do nothing else.
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

  int descriptor() const { return event_; }
  /// As lcb_functions has it.
  int take(lcb_frame &frame);
  void giveBack(uint32_t buffer);
  void stop();

  /// Why the last call failed.
  std::string reason;

  static lcb_identity identity(const libcamera::Camera &camera, std::string &model);

private:
  libcamera::StreamConfiguration &stream() { return configuration_->at(0); }
  /// Whether frames come into them.
  bool run(std::unique_ptr<Buffers> buffers);
  void makeRequests();
  bool isRefused();
  void fill(lcb_frame &frame, uint32_t index);
  int queue(uint32_t index);
  /// Queues those that were given up, as the camera goes on.
  void requeueCancelled();
  int end();
  void raise() const;
  void lower() const;

  void completed(libcamera::Request *request);
  void disconnected();

  // In the order in which they depend on each other: the first goes last.
  std::optional<Manager> manager_;
  std::shared_ptr<libcamera::Camera> camera_;
  bool isAcquired_ = false;
  std::string model_;
  std::vector<lcb_mode> modes_;
  std::unique_ptr<Controls> described_;
  std::unique_ptr<libcamera::CameraConfiguration> configuration_;
  std::unique_ptr<Planes> planes_;
  libcamera::ControlList controls_;
  std::unique_ptr<Buffers> buffers_;
  std::vector<std::unique_ptr<libcamera::Request>> requests_;
  /// Whether a request was cancelled and not queued since.
  std::vector<bool> isCancelled_;
  uint32_t cancelled_ = 0;
  bool isRunning_ = false;
  /// The error of a request that was not queued.
  int refusal_ = 0;

  std::unique_ptr<Ring> ring_;
  int event_ = -1;
  std::atomic<bool> isGone_{false};
};
