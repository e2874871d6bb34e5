#include "Manager.h"

#include "Failure.h"

#include <libcamera/logging.h>

#include <cstdlib>
#include <mutex>

namespace {
// One may not begin while another ends.
std::mutex mutex;
std::unique_ptr<libcamera::CameraManager> manager;
unsigned int shares = 0;

/// libcamera tells much of itself on standard error: it is to do so only where that is asked for.
void quieten() {
  if (!std::getenv("LIBCAMERA_LOG_LEVELS") && !std::getenv("LIBCAMERA_LOG_FILE"))
    libcamera::logSetTarget(libcamera::LoggingTargetNone);
}
} // namespace

Manager::Manager() {
  std::lock_guard<std::mutex> lock(mutex);
  if (shares == 0) {
    quieten();
    manager = std::make_unique<libcamera::CameraManager>();
    if (int code = manager->start(); code < 0) {
      manager.reset();
      throw Failure::of("CameraManager::start", code);
    }
  }
  shares++;
}

Manager::~Manager() {
  std::lock_guard<std::mutex> lock(mutex);
  if (--shares > 0)
    return;
  manager->stop();
  manager.reset();
}

std::vector<std::shared_ptr<libcamera::Camera>> Manager::cameras() const {
  std::lock_guard<std::mutex> lock(mutex);
  return manager->cameras();
}
