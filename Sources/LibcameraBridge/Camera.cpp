#include "Camera.h"

#include "Failure.h"
#include "Versions.h"

#include <libcamera/property_ids.h>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

using libcamera::CameraConfiguration;
using libcamera::ColorSpace;
using libcamera::ControlList;
using libcamera::FrameMetadata;
using libcamera::PixelFormat;
using libcamera::Request;
using libcamera::Size;
using libcamera::SizeRange;
using libcamera::StreamFormats;
using libcamera::StreamRole;
namespace controls = libcamera::controls;
namespace properties = libcamera::properties;

namespace {

lcb_size plain(const Size &size) { return {size.width, size.height}; }

bool isNumber(const std::string &text) {
  return !text.empty() && text.size() < 6 && text.find_first_not_of("0123456789") == std::string::npos;
}

/// All sizes of all formats, as far as they can be described.
std::vector<lcb_mode> modes(const StreamFormats &formats) {
  std::vector<lcb_mode> found;
  for (const PixelFormat &format : formats.pixelformats()) {
    if (format.modifier() != 0)
      continue;
    const SizeRange range = formats.range(format);
    // A list of sizes has steps of 0.
    if (range.hStep > 0 && range.vStep > 0 && range.min != range.max)
      found.push_back({format.fourcc(), plain(range.min), plain(range.max), {range.hStep, range.vStep}});
    else
      for (const Size &size : formats.sizes(format))
        found.push_back({format.fourcc(), plain(size), plain(size), {1, 1}});
  }
  return found;
}

lcb_encoding encoding(const ColorSpace &space) {
  switch (space.ycbcrEncoding) {
  case ColorSpace::YcbcrEncoding::Rec601: return LCB_REC601;
  case ColorSpace::YcbcrEncoding::Rec709: return LCB_REC709;
  case ColorSpace::YcbcrEncoding::Rec2020: return LCB_REC2020;
  default: return LCB_UNSAID;
  }
}

} // namespace

Camera::~Camera() {
  stop();
  if (camera_)
    camera_->disconnected.disconnect(this);
  requests_.clear();
  buffers_.reset();
  if (isAcquired_)
    camera_->release();
  configuration_.reset();
  // The manager complains of cameras that outlive it.
  camera_.reset();
  if (event_ >= 0)
    close(event_);
}

lcb_identity Camera::identity(const libcamera::Camera &camera, std::string &model) {
  model = std::string(camera.properties().get(properties::Model).value_or(""));
  lcb_location location = LCB_ELSEWHERE;
  if (auto told = camera.properties().get(properties::Location)) {
    location = *told == properties::CameraLocationFront      ? LCB_FRONT
               : *told == properties::CameraLocationBack     ? LCB_BACK
               : *told == properties::CameraLocationExternal ? LCB_EXTERNAL
                                                             : LCB_ELSEWHERE;
  }
  return {camera.id().c_str(), model.c_str(), location};
}

void Camera::open(const std::string &name) {
  manager_.emplace();
  const auto cameras = manager_->cameras();
  for (const auto &camera : cameras)
    if (camera->id() == name)
      camera_ = camera;
  if (!camera_ && isNumber(name) && std::stoul(name) < cameras.size())
    camera_ = cameras[std::stoul(name)];
  if (camera_)
    return camera_->disconnected.connect(this, &Camera::disconnected);
  if (cameras.empty())
    throw Failure(-ENODEV, "libcamera finds no camera");
  std::string others;
  for (size_t index = 0; index < cameras.size(); index++)
    others += "\n  " + std::to_string(index) + "  " + cameras[index]->id();
  throw Failure(-ENODEV, "libcamera has no such camera; it has:" + others);
}

lcb_description Camera::describe() {
  if (modes_.empty()) {
    auto configuration = camera_->generateConfiguration({StreamRole::VideoRecording});
    if (!configuration || configuration->empty())
      throw Failure(-ENOTSUP, "its pipeline has no stream for video");
    modes_ = modes(configuration->at(0).formats());
  }
  described_ = std::make_unique<Controls>(camera_->controls());
  lcb_description description{};
  description.identity = identity(*camera_, model_);
  description.modes = modes_.data();
  description.mode_count = modes_.size();
  description.controls = described_->all().data();
  description.control_count = described_->all().size();
  return description;
}

lcb_stream Camera::configure(const lcb_wish &wish) {
  if (int code = camera_->acquire(); code < 0)
    throw Failure::of("acquire", code);
  isAcquired_ = true;
  configuration_ = camera_->generateConfiguration({StreamRole::VideoRecording});
  if (!configuration_ || configuration_->empty())
    throw Failure(-ENOTSUP, "its pipeline has no stream for video");
  auto ask = [&](const std::optional<ColorSpace> &colours) {
    stream().pixelFormat = PixelFormat(wish.fourcc);
    stream().size = Size(wish.size.width, wish.size.height);
    stream().bufferCount = std::min(wish.buffers, Ring::room);
    if (colours)
      stream().colorSpace = colours;
    versions::setFlip(*configuration_, wish.flip);
    if (configuration_->validate() == CameraConfiguration::Invalid)
      throw Failure(-EINVAL, "validate: its pipeline can't do this at all");
  };
  ask({});
  // Colours as JPEG has them spare converting them; a pipeline that says nothing of colours would only repeat them.
  if (stream().colorSpace && stream().colorSpace->ycbcrEncoding != ColorSpace::YcbcrEncoding::None)
    ask(ColorSpace::Sycc);
  if (int code = camera_->configure(configuration_.get()); code < 0)
    throw Failure::of("configure", code);
  planes_ = std::make_unique<Planes>(stream());
  controls_ = ControlList(camera_->controls());

  lcb_stream given{};
  given.fourcc = stream().pixelFormat.modifier() == 0 ? stream().pixelFormat.fourcc() : 0;
  given.size = plain(stream().size);
  given.plane_count = planes_->count;
  std::copy(std::begin(planes_->strides), std::end(planes_->strides), given.strides);
  given.flip = versions::flip(*configuration_);
  if (const auto &colours = stream().colorSpace) {
    given.encoding = encoding(*colours);
    given.is_full_range = colours->range == ColorSpace::Range::Full;
  }
  return given;
}

void Camera::set(const std::string &name, const double *numbers, uint32_t count) {
  for (const auto &[id, info] : camera_->controls()) {
    if (id->name() != name)
      continue;
    controls_.set(id->id(), Controls::value(*id, info, numbers, count));
    return;
  }
  throw Failure(-EINVAL, "it has no control " + name);
}

lcb_memory Camera::start() {
  if (event_ < 0)
    event_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (event_ < 0)
    throw Failure::of("eventfd", -errno);
  auto heap = Buffers::ofHeap(stream());
  if (!heap || !run(std::move(heap)))
    run(Buffers::ofLibcamera(camera_, stream()));
  size_t bytes = 0;
  for (uint32_t plane = 0; plane < planes_->count; plane++)
    bytes += planes_->bytes[plane];
  return {uint32_t(buffers_->all().size()), bytes, buffers_->heap().empty() ? nullptr : buffers_->heap().c_str()};
}

bool Camera::run(std::unique_ptr<Buffers> buffers) {
  requests_.clear();
  buffers_ = std::move(buffers);
  ring_ = std::make_unique<Ring>();
  cancelled_ = 0;
  refusal_ = 0;
  makeRequests();
  const bool isOurs = !buffers_->heap().empty();
  camera_->requestCompleted.connect(this, &Camera::completed);
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

void Camera::makeRequests() {
  auto &all = buffers_->all();
  if (all.empty() || all.size() > Ring::room)
    throw Failure(-ENOBUFS, "it has " + std::to_string(all.size()) + " buffers");
  isCancelled_.assign(all.size(), false);
  for (uint64_t index = 0; index < all.size(); index++) {
    auto request = camera_->createRequest(index);
    if (!request)
      throw Failure(-ENOMEM, "createRequest: it has no memory");
    if (int code = request->addBuffer(stream().stream(), all[index].frame); code < 0)
      throw Failure::of("addBuffer", code);
    requests_.push_back(std::move(request));
  }
}

/// A driver that can't use the memory says so with the first request, at once.
bool Camera::isRefused() {
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

int Camera::take(lcb_frame &frame) {
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
        return isGone_ ? end() : 0;
    }
    Request &request = *requests_[index];
    if (request.status() == Request::RequestCancelled) {
      isCancelled_[index] = true;
      if (++cancelled_ == requests_.size())
        return end();
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

void Camera::fill(lcb_frame &frame, uint32_t index) {
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
  for (uint32_t plane = 0; plane < planes_->count; plane++) {
    frame.planes[plane] = buffer.planes[plane];
    size_t used = plane < told.size() ? told[plane].bytesused : 0;
    // One number for all planes.
    if (told.size() == 1 && planes_->count > 1)
      used = told[0].bytesused > planes_->offset(plane) ? told[0].bytesused - planes_->offset(plane) : 0;
    frame.planes[plane].used = used;
  }
}

void Camera::giveBack(uint32_t buffer) {
  buffers_->all()[buffer].endReading();
  if (isRunning_)
    queue(buffer);
}

int Camera::queue(uint32_t index) {
  requests_[index]->reuse(Request::ReuseBuffers);
  int code = camera_->queueRequest(requests_[index].get());
  if (code < 0 && refusal_ == 0) {
    refusal_ = code;
    // So that it is said, also when no other frame comes.
    raise();
  }
  return code;
}

void Camera::requeueCancelled() {
  for (uint32_t index = 0; index < isCancelled_.size(); index++)
    if (isCancelled_[index]) {
      isCancelled_[index] = false;
      queue(index);
    }
  cancelled_ = 0;
}

/// A camera that is unplugged cancels its requests before libcamera hears of it.
int Camera::end() {
  for (int wait = 0; wait < 100 && !isGone_; wait++)
    poll(nullptr, 0, 20);
  reason = isGone_ ? "it was unplugged" : "libcamera cancelled all requests";
  return isGone_ ? -ENODEV : -EIO;
}

void Camera::stop() {
  if (!isRunning_)
    return;
  isRunning_ = false;
  camera_->stop();
  camera_->requestCompleted.disconnect(this);
}

void Camera::raise() const {
  const uint64_t one = 1;
  [[maybe_unused]] ssize_t written = write(event_, &one, sizeof(one));
}

void Camera::lower() const {
  uint64_t count;
  [[maybe_unused]] ssize_t got = read(event_, &count, sizeof(count));
}

void Camera::completed(Request *request) {
  ring_->put(static_cast<uint32_t>(request->cookie()));
  raise();
}

void Camera::disconnected() {
  isGone_ = true;
  if (event_ >= 0)
    raise();
}
