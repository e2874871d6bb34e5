// What libcamera tells of a camera, by its own thread.
#pragma once

#include <libcamera/libcamera.h>

#include <cstdint>
#include <memory>

/// Is told by libcamera's own thread.
class Listener {
public:
  /// - Parameter index: the request's number.
  virtual void completed(uint32_t index) = 0;
  virtual void disconnected() = 0;

protected:
  ~Listener() = default;
};

/// As long as this lives, and no longer, a listener is told of a camera. What connects the two lives in libcamera's thread,
/// and is made and cut there: libcamera does not allow for a signal that another thread leaves while it is emitted, as
/// happens where a camera is unplugged.
class Link {
public:
  Link(std::shared_ptr<libcamera::Camera> camera, Listener &listener) : end_(new End(camera, listener)) {
    end_->moveToThread(camera->thread());
    end_->invokeMethod(&End::connect, libcamera::ConnectionTypeBlocking);
  }
  ~Link() {
    end_->invokeMethod(&End::cut, libcamera::ConnectionTypeBlocking);
    end_->deleteLater();
  }
  Link(const Link &) = delete;
  Link &operator=(const Link &) = delete;

private:
  class End : public libcamera::Object {
  public:
    End(std::shared_ptr<libcamera::Camera> camera, Listener &listener) : camera_(camera), listener_(listener) {}

    void connect() {
      camera_->requestCompleted.connect(this, &End::completed);
      camera_->disconnected.connect(this, &End::disconnected);
    }
    void cut() {
      camera_->requestCompleted.disconnect(this);
      camera_->disconnected.disconnect(this);
      camera_.reset();
    }

  private:
    void completed(libcamera::Request *request) { listener_.completed(static_cast<uint32_t>(request->cookie())); }
    void disconnected() { listener_.disconnected(); }

    std::shared_ptr<libcamera::Camera> camera_;
    Listener &listener_;
  };

  End *const end_;
};
