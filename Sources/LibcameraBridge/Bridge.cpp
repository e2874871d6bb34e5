#include "LibcameraBridge.h"

#include "Camera.h"
#include "Failure.h"
#include "Manager.h"

#include <cerrno>
#include <new>

/// What the opaque pointers lead to.
struct lcb_camera {
  Camera camera;
};

struct lcb_list {
  Manager manager;
  std::vector<std::shared_ptr<libcamera::Camera>> cameras;
  std::vector<std::string> models;
  std::vector<lcb_identity> identities;
};

namespace {

/// Nothing is thrown across: a failure becomes a number, and its reason is kept.
template <typename Work> int guarded(std::string &reason, Work work) noexcept {
  try {
    try {
      return work();
    } catch (const Failure &failure) {
      reason = failure.what();
      return failure.code;
    } catch (const std::bad_alloc &) {
      reason = "it has no memory";
      return -ENOMEM;
    } catch (const std::exception &error) {
      reason = error.what();
      return -EIO;
    }
  } catch (...) {
    return -EIO;
  }
}

int list(lcb_list **list, uint32_t *count) {
  std::string reason;
  return guarded(reason, [&] {
    auto found = std::make_unique<lcb_list>();
    found->cameras = found->manager.cameras();
    found->models.resize(found->cameras.size());
    for (size_t index = 0; index < found->cameras.size(); index++)
      found->identities.push_back(Camera::identity(*found->cameras[index], found->models[index]));
    *count = found->cameras.size();
    *list = found.release();
    return 0;
  });
}

lcb_identity listed(const lcb_list *list, uint32_t index) { return list->identities[index]; }

void endList(lcb_list *list) { delete list; }

int open(const char *name, lcb_camera **camera) {
  *camera = new (std::nothrow) lcb_camera;
  if (!*camera)
    return -ENOMEM;
  return guarded((*camera)->camera.reason, [&] { return (*camera)->camera.open(name), 0; });
}

const char *reason(const lcb_camera *camera) { return camera->camera.reason.c_str(); }

int describe(lcb_camera *camera, lcb_description *description) {
  return guarded(camera->camera.reason, [&] { return *description = camera->camera.describe(), 0; });
}

int configure(lcb_camera *camera, const lcb_wish *wish, lcb_stream *stream) {
  return guarded(camera->camera.reason, [&] { return *stream = camera->camera.configure(*wish), 0; });
}

int set(lcb_camera *camera, const char *name, const double *numbers, uint32_t count) {
  return guarded(camera->camera.reason, [&] { return camera->camera.set(name, numbers, count), 0; });
}

int start(lcb_camera *camera, lcb_memory *memory) {
  return guarded(camera->camera.reason, [&] { return *memory = camera->camera.start(), 0; });
}

int descriptor(const lcb_camera *camera) { return camera->camera.descriptor(); }

int take(lcb_camera *camera, lcb_frame *frame) {
  return guarded(camera->camera.reason, [&] { return camera->camera.take(*frame); });
}

void giveBack(lcb_camera *camera, uint32_t buffer) {
  guarded(camera->camera.reason, [&] { return camera->camera.giveBack(buffer), 0; });
}

void stop(lcb_camera *camera) {
  guarded(camera->camera.reason, [&] { return camera->camera.stop(), 0; });
}

void close(lcb_camera *camera) {
  // The end of it may not throw: a destructor that does ends the program.
  delete camera;
}

const lcb_functions functions = {list,  listed,     endList, open,     reason, describe, configure, set,
                                 start, descriptor, take,    giveBack, stop,   close};

} // namespace

extern "C" {

__attribute__((visibility("default"))) uint32_t libcamera_bridge_interface(void) { return LCB_INTERFACE; }

__attribute__((visibility("default"))) const lcb_functions *libcamera_bridge_functions(void) { return &functions; }
}
