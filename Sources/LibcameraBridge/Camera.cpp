#include "Camera.h"

#include "Failure.h"
#include "Versions.h"

#include <libcamera/property_ids.h>

#include <algorithm>
#include <cerrno>

using libcamera::CameraConfiguration;
using libcamera::ColorSpace;
using libcamera::ControlList;
using libcamera::PixelFormat;
using libcamera::Size;
using libcamera::SizeRange;
using libcamera::StreamFormats;
using libcamera::StreamRole;
namespace properties = libcamera::properties;

namespace {

lcb_size plain(const Size &size) { return {size.width, size.height}; }

bool isNumber(const std::string &text) {
  return !text.empty() && text.size() < 6 && text.find_first_not_of("0123456789") == std::string::npos;
}

/// An id that is a line of a list.
std::string oneLine(std::string text) {
  std::replace_if(text.begin(), text.end(), [](char each) { return (each >= 0 && each < ' ') || each == 0x7F; }, '?');
  return text;
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
  stream_.reset();
  if (isAcquired_)
    camera_->release();
  configuration_.reset();
  // The manager complains of cameras that outlive it.
  camera_.reset();
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
    return;
  if (cameras.empty())
    throw Failure(-ENODEV, "libcamera finds no camera; it has to be connected, and the user in the group 'video' (sudo "
                           "usermod -aG video $USER, then log in again)");
  std::string others;
  for (size_t index = 0; index < cameras.size(); index++)
    others += "\n  " + std::to_string(index) + "  " + oneLine(cameras[index]->id());
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
  // Set again, it starts afresh: buffers and requests belong to what it was set to before.
  stream_.reset();
  if (!isAcquired_)
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
  const Planes planes(stream());
  isOneMemory_ = planes.count == 1 || isOneMemory();
  controls_ = ControlList(camera_->controls());

  lcb_stream given{};
  given.fourcc = stream().pixelFormat.modifier() == 0 ? stream().pixelFormat.fourcc() : 0;
  given.size = plain(stream().size);
  given.plane_count = planes.count;
  std::copy(std::begin(planes.strides), std::end(planes.strides), given.strides);
  given.flip = versions::flip(*configuration_);
  if (const auto &colours = stream().colorSpace) {
    given.encoding = encoding(*colours);
    given.is_full_range = colours->range == ColorSpace::Range::Full;
  }
  return given;
}

/// libcamera's own buffers alone tell whether a driver has one memory for all planes, or one for each.
bool Camera::isOneMemory() {
  bool isOne;
  {
    libcamera::FrameBufferAllocator allocator(camera_);
    if (int code = allocator.allocate(stream().stream()); code < 0)
      throw Failure::of("FrameBufferAllocator::allocate", code);
    const auto &planes = allocator.buffers(stream().stream()).at(0)->planes();
    auto isSame = [&planes](const auto &plane) { return plane.fd.get() == planes[0].fd.get(); };
    isOne = std::all_of(planes.begin(), planes.end(), isSame);
  }
  // Pipelines remember the buffers that they made until they are configured.
  if (int code = camera_->configure(configuration_.get()); code < 0)
    throw Failure::of("configure", code);
  return isOne;
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
  stream_ = std::make_unique<Stream>(camera_, *configuration_, isOneMemory_, controls_);
  return stream_->start();
}

int Camera::take(lcb_frame &frame) { return stream_ ? stream_->take(frame) : -EINVAL; }

void Camera::giveBack(uint32_t buffer) {
  if (stream_)
    stream_->giveBack(buffer);
}

void Camera::stop() {
  if (stream_)
    stream_->stop();
}
