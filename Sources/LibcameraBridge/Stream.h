// A stream of a camera of libcamera's.
#pragma once

#include "Buffers.h"
#include "LibcameraBridge.h"
#include "Planes.h"
#include "Ring.h"

#include <libcamera/libcamera.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

/// The buffers of a camera that was configured, and its frames. All of it is called by one thread, but `completed` and
/// `disconnected`, which libcamera's own thread calls: they note what happened, and raise the event, and do nothing else.
class Stream {
public:
  /// Throws a Failure.
  /// - Parameter controls: what is set at the start.
  Stream(std::shared_ptr<libcamera::Camera> camera, const libcamera::StreamConfiguration &configuration,
         const libcamera::ControlList &controls);
  ~Stream();
  Stream(const Stream &) = delete;
  Stream &operator=(const Stream &) = delete;

  /// Throws a Failure.
  lcb_memory start();
  int descriptor() const { return event_; }
  /// As lcb_functions has it.
  int take(lcb_frame &frame, std::string &reason);
  void giveBack(uint32_t buffer);
  void stop();

private:
  /// Whether frames come into them.
  bool run(std::unique_ptr<Buffers> buffers);
  void makeRequests();
  bool isRefused();
  void fill(lcb_frame &frame, uint32_t index);
  int queue(uint32_t index);
  /// Queues those that were given up, as the camera goes on.
  void requeueCancelled();
  int end(std::string &reason);
  void raise() const;
  void lower() const;

  void completed(libcamera::Request *request);
  void disconnected();

  std::shared_ptr<libcamera::Camera> camera_;
  const libcamera::StreamConfiguration &configuration_;
  const Planes planes_;
  const libcamera::ControlList controls_;
  std::unique_ptr<Buffers> buffers_;
  std::vector<std::unique_ptr<libcamera::Request>> requests_;
  /// Whether a request was cancelled and not queued since.
  std::vector<bool> isCancelled_;
  uint32_t cancelled_ = 0;
  bool isRunning_ = false;
  /// The error of a request that was not queued.
  int refusal_ = 0;

  std::unique_ptr<Ring> ring_;
  const int event_;
  std::atomic<bool> isGone_{false};
};
