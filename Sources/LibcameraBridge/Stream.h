// A stream of a camera of libcamera's.
#pragma once

#include "Buffers.h"
#include "LibcameraBridge.h"
#include "Link.h"
#include "Planes.h"
#include "Ring.h"

#include <libcamera/libcamera.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

/// The buffers of a camera that was configured, and its frames. All of it is called by one thread, but `completed` and
/// `disconnected`, which libcamera's own thread calls: they note what happened, and raise the event, and do nothing else.
class Stream : public Listener {
public:
  /// Throws a Failure.
  /// - Parameters:
  ///   - isOneMemory: all planes of a picture are of one memory.
  ///   - controls: what is set at the start.
  Stream(std::shared_ptr<libcamera::Camera> camera, libcamera::CameraConfiguration &configuration, bool isOneMemory,
         const libcamera::ControlList &controls);
  ~Stream();
  Stream(const Stream &) = delete;
  Stream &operator=(const Stream &) = delete;

  /// Throws a Failure.
  lcb_memory start();
  /// Readable when `take` has something to do.
  int descriptor() const { return wait_; }
  /// As lcb_functions has it. Throws a Failure.
  int take(lcb_frame &frame);
  void giveBack(uint32_t buffer);
  void stop();

private:
  /// Starts the camera. Throws a Failure.
  void run(std::unique_ptr<Buffers> buffers);
  /// Starts it with libcamera's own buffers, in place of those that it has.
  void runOwn();
  /// For people: what is set at the start.
  std::string names() const;
  void makeRequests();
  /// Takes the number of the next request that has a frame; false where none is done. Throws a Failure when it is over.
  bool next(uint32_t &index);
  void fill(lcb_frame &frame, uint32_t index);
  void queue(uint32_t index);
  /// Queues those that were given up, as the camera goes on.
  void requeueCancelled();
  /// All requests were cancelled, or none can be queued any more. Throws a Failure as soon as the reason is known, within two
  /// seconds; until then it returns false, and the descriptor tells when to ask again.
  bool end();
  void closeAll();
  void raise() const;
  void lower() const;

  void completed(uint32_t index) override;
  void disconnected() override;

  std::shared_ptr<libcamera::Camera> camera_;
  libcamera::CameraConfiguration &all_;
  const libcamera::StreamConfiguration &configuration_;
  const bool isOneMemory_;
  const Planes planes_;
  const libcamera::ControlList controls_;
  std::unique_ptr<Buffers> buffers_;
  std::vector<std::unique_ptr<libcamera::Request>> requests_;
  /// Whether a request was cancelled and not queued since.
  std::vector<bool> isCancelled_;
  uint32_t cancelled_ = 0;
  bool isRunning_ = false;
  std::chrono::steady_clock::time_point startedAt_;
  bool hasFrames_ = false;
  /// No request was taken from the beginning on.
  bool isRefused_ = false;
  /// Frames without a picture that a sensor may begin with, at most; then they are damaged ones.
  int warmUp_ = 10;
  /// The request with the controls came back with a frame.
  bool areControlsSet_ = false;
  /// The error of a request that was not queued.
  int refusal_ = 0;

  std::unique_ptr<Ring> ring_;
  const int event_;
  /// Expires when nothing more is known of the end.
  const int timer_;
  /// An epoll of both.
  const int wait_;
  bool isEnding_ = false;
  std::atomic<bool> isGone_{false};
  /// Last: it is cut before anything else goes.
  std::unique_ptr<Link> link_;
};
