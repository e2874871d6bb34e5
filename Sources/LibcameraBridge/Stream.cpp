#include "Stream.h"

#include "Failure.h"
#include "Versions.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

using libcamera::FrameMetadata;
using libcamera::Request;
namespace controls = libcamera::controls;

Stream::Stream(std::shared_ptr<libcamera::Camera> camera, libcamera::CameraConfiguration &configuration,
               bool isOneMemory, const libcamera::ControlList &controls)
    : camera_(camera), all_(configuration), configuration_(configuration.at(0)), isOneMemory_(isOneMemory),
      planes_(configuration_), controls_(controls), event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      timer_(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)), wait_(epoll_create1(EPOLL_CLOEXEC)) {
  epoll_event readable{};
  readable.events = EPOLLIN;
  if (event_ < 0 || timer_ < 0 || wait_ < 0 || epoll_ctl(wait_, EPOLL_CTL_ADD, event_, &readable) < 0
      || epoll_ctl(wait_, EPOLL_CTL_ADD, timer_, &readable) < 0) {
    const int code = -errno;
    closeAll();
    throw Failure::of("eventfd, timerfd_create, epoll_create1", code);
  }
}

Stream::~Stream() {
  stop();
  requests_.clear();
  buffers_.reset();
  closeAll();
}

void Stream::closeAll() {
  for (int descriptor : {event_, timer_, wait_})
    if (descriptor >= 0)
      close(descriptor);
}

lcb_memory Stream::start() {
  auto heap = isOneMemory_ ? Buffers::ofHeap(configuration_) : nullptr;
  if (!heap) {
    run(Buffers::ofLibcamera(camera_, configuration_));
  } else {
    try {
      run(std::move(heap));
    } catch (const Failure &first) {
      // What fails with both fails for the first reason.
      try {
        runOwn();
      } catch (const Failure &) {
        throw first;
      }
    }
  }
  // What a driver refuses it mostly refuses at once.
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(100);
  for (;;) {
    uint32_t index;
    if (next(index)) {
      ring_->putBack();
      raise();
      break;
    }
    const auto rest = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    if (rest.count() <= 0)
      break;
    pollfd waiting{event_, POLLIN, 0};
    poll(&waiting, 1, static_cast<int>(rest.count()));
  }
  size_t bytes = 0;
  for (uint32_t plane = 0; plane < planes_.count; plane++)
    bytes += planes_.bytes[plane];
  return {uint32_t(buffers_->all().size()), bytes, buffers_->heap().empty() ? nullptr : buffers_->heap().c_str()};
}

void Stream::runOwn() {
  // The old ones go first: there may not be room for both.
  stop();
  requests_.clear();
  buffers_.reset();
  // Pipelines may keep what they imported until they are configured.
  if (int code = camera_->configure(&all_); code < 0)
    throw Failure::of("configure", code);
  run(Buffers::ofLibcamera(camera_, configuration_));
}

void Stream::run(std::unique_ptr<Buffers> buffers) {
  buffers_ = std::move(buffers);
  ring_ = std::make_unique<Ring>();
  cancelled_ = 0;
  refusal_ = 0;
  areControlsSet_ = controls_.empty();
  makeRequests();
  link_ = std::make_unique<Link>(camera_, *this);
  startedAt_ = std::chrono::steady_clock::now();
  isRefused_ = false;
  if (int code = camera_->start(&controls_); code < 0)
    throw Failure::of(controls_.empty() ? "start" : "start (it sets " + names() + ")", code);
  isRunning_ = true;
  // Some pipelines take controls with requests only.
  requests_[0]->controls().merge(controls_);
  for (const auto &request : requests_)
    if (int code = camera_->queueRequest(request.get()); code < 0)
      throw Failure::of("queueRequest", code);
}

std::string Stream::names() const {
  std::string names;
  for (const auto &[id, info] : camera_->controls())
    if (controls_.contains(id->id()))
      names += (names.empty() ? "" : ", ") + id->name();
  return names;
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

int Stream::take(lcb_frame &frame) {
  uint32_t index;
  if (!next(index))
    return 0;
  fill(frame, index);
  if (ring_->isEmpty()) {
    lower();
    if (!ring_->isEmpty() || isGone_ || refusal_ < 0)
      raise();
  }
  return 1;
}

bool Stream::next(uint32_t &index) {
  for (;;) {
    if (refusal_ < 0 || isEnding_)
      return end();
    if (!ring_->take(index)) {
      lower();
      // What came meanwhile was not seen above, and is not announced any more.
      if (!ring_->take(index))
        return isGone_ && end();
    }
    if (requests_[index]->status() == Request::RequestCancelled) {
      isCancelled_[index] = true;
      if (++cancelled_ < requests_.size())
        continue;
      // A driver may find with the first requests only that it can't use the memory. Later it is another trouble: a
      // Raspberry Pi's pipeline gives up a sensor that is silent for a second or longer.
      isRefused_ = !hasFrames_ && std::chrono::steady_clock::now() - startedAt_ < std::chrono::milliseconds(500);
      if (!isRefused_ || isGone_ || buffers_->heap().empty() || !LCB_SURVIVES_REFUSAL)
        return end();
      runOwn();
      continue;
    }
    hasFrames_ = true;
    // It would go on without them, and say nothing.
    if (!areControlsSet_ && isCancelled_[0])
      throw Failure(-EINVAL, "it gave up the request that sets " + names() +
                                 ": its driver refuses a value (--set, --fps)");
    areControlsSet_ = areControlsSet_ || index == 0;
    if (cancelled_ > 0)
      requeueCancelled();
    const FrameMetadata &metadata = buffers_->all()[index].frame->metadata();
    const bool isError = metadata.status == FrameMetadata::FrameError;
    if (versions::isStartup(metadata, 0) || (isError && warmUp_-- > 0)) {
      queue(index);
      continue;
    }
    warmUp_ = 0;
    return true;
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

void Stream::queue(uint32_t index) {
  requests_[index]->reuse(Request::ReuseBuffers);
  int code = camera_->queueRequest(requests_[index].get());
  if (code < 0 && refusal_ == 0) {
    refusal_ = code;
    // So that it is said, also when no other frame comes.
    raise();
  }
}

void Stream::requeueCancelled() {
  for (uint32_t index = 0; index < isCancelled_.size(); index++)
    if (isCancelled_[index]) {
      isCancelled_[index] = false;
      queue(index);
    }
  cancelled_ = 0;
}

bool Stream::end() {
  if (isGone_)
    throw Failure(-ENODEV, "it was unplugged");
  if (!isEnding_ && refusal_ < 0 && refusal_ != -ENODEV)
    throw Failure::of("queueRequest", refusal_);
  // A camera that is unplugged cancels its requests before libcamera is told of it: the reason is known a little later.
  if (!isEnding_) {
    isEnding_ = true;
    itimerspec patience{};
    patience.it_value.tv_sec = 2;
    timerfd_settime(timer_, 0, &patience, nullptr);
  }
  lower();
  uint64_t expirations;
  if (!isGone_ && read(timer_, &expirations, sizeof(expirations)) < 0)
    return false;
  if (isGone_)
    throw Failure(-ENODEV, "it was unplugged");
  const std::string heap = buffers_->heap();
  const std::string reason = !isRefused_    ? ": the camera does not answer any more"
                             : heap.empty() ? ""
                                            : ": its driver refuses memory of /dev/dma_heap/" + heap;
  throw Failure(-EIO, "libcamera cancelled all requests" + reason);
}

void Stream::stop() {
  if (isRunning_ && (LCB_SURVIVES_REFUSAL || !isRefused_))
    camera_->stop();
  isRunning_ = false;
  link_.reset();
}

void Stream::raise() const {
  const uint64_t one = 1;
  [[maybe_unused]] ssize_t written = write(event_, &one, sizeof(one));
}

void Stream::lower() const {
  uint64_t count;
  [[maybe_unused]] ssize_t got = read(event_, &count, sizeof(count));
}

void Stream::completed(uint32_t index) {
  ring_->put(index);
  raise();
}

void Stream::disconnected() {
  isGone_ = true;
  raise();
}
