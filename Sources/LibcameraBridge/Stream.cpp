#include "Stream.h"

#include "Failure.h"
#include "Versions.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

using libcamera::FrameMetadata;
using libcamera::Request;
namespace controls = libcamera::controls;

Stream::Stream(std::shared_ptr<libcamera::Camera> camera, const libcamera::StreamConfiguration &configuration,
               const libcamera::ControlList &controls)
    : camera_(camera), configuration_(configuration), planes_(configuration), controls_(controls),
      event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (event_ < 0)
    throw Failure::of("eventfd", -errno);
  camera_->disconnected.connect(this, &Stream::disconnected);
}

Stream::~Stream() {
  stop();
  camera_->disconnected.disconnect(this);
  requests_.clear();
  buffers_.reset();
  close(event_);
}

lcb_memory Stream::start() {
  auto heap = Buffers::ofHeap(configuration_);
  if (!heap || !run(std::move(heap)))
    run(Buffers::ofLibcamera(camera_, configuration_));
  size_t bytes = 0;
  for (uint32_t plane = 0; plane < planes_.count; plane++)
    bytes += planes_.bytes[plane];
  return {uint32_t(buffers_->all().size()), bytes, buffers_->heap().empty() ? nullptr : buffers_->heap().c_str()};
}

bool Stream::run(std::unique_ptr<Buffers> buffers) {
  requests_.clear();
  buffers_ = std::move(buffers);
  ring_ = std::make_unique<Ring>();
  cancelled_ = 0;
  refusal_ = 0;
  makeRequests();
  const bool isOurs = !buffers_->heap().empty();
  camera_->requestCompleted.connect(this, &Stream::completed);
  if (int code = camera_->start(&controls_); code < 0) {
    camera_->requestCompleted.disconnect(this);
    if (isOurs)
      return false;
    throw Failure::of("start", code);
  }
  isRunning_ = true;
  // Some pipelines take controls with requests only.
  requests_[0]->controls().merge(controls_);
  for (const auto &request : requests_)
    if (int code = camera_->queueRequest(request.get()); code < 0)
      throw Failure::of("queueRequest", code);
  if (isOurs && isRefused()) {
    stop();
    return false;
  }
  return true;
}

void Stream::makeRequests() {
  auto &all = buffers_->all();
  if (all.empty() || all.size() > Ring::room)
    throw Failure(-ENOBUFS, "it has " + std::to_string(all.size()) + " buffers");
  isCancelled_.assign(all.size(), false);
  for (uint64_t index = 0; index < all.size(); index++) {
    auto request = camera_->createRequest(index);
    if (!request)
      throw Failure(-ENOMEM, "createRequest: it has no memory");
    if (int code = request->addBuffer(configuration_.stream(), all[index].frame); code < 0)
      throw Failure::of("addBuffer", code);
    requests_.push_back(std::move(request));
  }
}

/// A driver that can't use the memory says so with the first request, at once.
bool Stream::isRefused() {
  pollfd waiting{event_, POLLIN, 0};
  uint32_t index;
  if (poll(&waiting, 1, 100) <= 0 || !ring_->take(index))
    return false;
  if (requests_[index]->status() == Request::RequestCancelled)
    return true;
  // It was a frame; as before it is the oldest.
  ring_->putBack();
  return false;
}

int Stream::take(lcb_frame &frame, std::string &reason) {
  if (refusal_ < 0) {
    reason = Failure::of("queueRequest", refusal_).what();
    return refusal_;
  }
  for (;;) {
    uint32_t index;
    if (!ring_->take(index)) {
      lower();
      // What came meanwhile was not seen above, and is not announced any more.
      if (!ring_->take(index))
        return isGone_ ? end(reason) : 0;
    }
    Request &request = *requests_[index];
    if (request.status() == Request::RequestCancelled) {
      isCancelled_[index] = true;
      if (++cancelled_ == requests_.size())
        return end(reason);
      continue;
    }
    if (cancelled_ > 0)
      requeueCancelled();
    if (versions::isStartup(buffers_->all()[index].frame->metadata(), 0)) {
      queue(index);
      continue;
    }
    fill(frame, index);
    if (ring_->isEmpty()) {
      lower();
      if (!ring_->isEmpty() || isGone_)
        raise();
    }
    return 1;
  }
}

void Stream::fill(lcb_frame &frame, uint32_t index) {
  const Buffer &buffer = buffers_->all()[index];
  const FrameMetadata &metadata = buffer.frame->metadata();
  buffer.beginReading();
  frame = {};
  frame.buffer = index;
  frame.sequence = metadata.sequence;
  frame.buffer_time = metadata.timestamp;
  frame.sensor_time = requests_[index]->metadata().get(controls::SensorTimestamp).value_or(0);
  frame.is_damaged = metadata.status == FrameMetadata::FrameError;
  const auto told = metadata.planes();
  for (uint32_t plane = 0; plane < planes_.count; plane++) {
    frame.planes[plane] = buffer.planes[plane];
    size_t used = plane < told.size() ? told[plane].bytesused : 0;
    // One number for all planes.
    if (told.size() == 1 && planes_.count > 1)
      used = told[0].bytesused > planes_.offset(plane) ? told[0].bytesused - planes_.offset(plane) : 0;
    frame.planes[plane].used = used;
  }
}

void Stream::giveBack(uint32_t buffer) {
  buffers_->all()[buffer].endReading();
  if (isRunning_)
    queue(buffer);
}

int Stream::queue(uint32_t index) {
  requests_[index]->reuse(Request::ReuseBuffers);
  int code = camera_->queueRequest(requests_[index].get());
  if (code < 0 && refusal_ == 0) {
    refusal_ = code;
    // So that it is said, also when no other frame comes.
    raise();
  }
  return code;
}

void Stream::requeueCancelled() {
  for (uint32_t index = 0; index < isCancelled_.size(); index++)
    if (isCancelled_[index]) {
      isCancelled_[index] = false;
      queue(index);
    }
  cancelled_ = 0;
}

/// A camera that is unplugged cancels its requests before libcamera hears of it.
int Stream::end(std::string &reason) {
  for (int wait = 0; wait < 100 && !isGone_; wait++)
    poll(nullptr, 0, 20);
  reason = isGone_ ? "it was unplugged" : "libcamera cancelled all requests";
  return isGone_ ? -ENODEV : -EIO;
}

void Stream::stop() {
  if (!isRunning_)
    return;
  isRunning_ = false;
  camera_->stop();
  camera_->requestCompleted.disconnect(this);
}

void Stream::raise() const {
  const uint64_t one = 1;
  [[maybe_unused]] ssize_t written = write(event_, &one, sizeof(one));
}

void Stream::lower() const {
  uint64_t count;
  [[maybe_unused]] ssize_t got = read(event_, &count, sizeof(count));
}

void Stream::completed(Request *request) {
  ring_->put(static_cast<uint32_t>(request->cookie()));
  raise();
}

void Stream::disconnected() {
  isGone_ = true;
  raise();
}
