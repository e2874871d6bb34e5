#include "Buffers.h"

#include "Failure.h"
#include "Versions.h"

#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

using libcamera::FrameBuffer;
using libcamera::SharedFD;

namespace {

/// An open file, closed at the end.
struct File {
  int number;
  explicit File(int number) : number(number) {}
  ~File() { if (number >= 0) close(number); }
  File(const File &) = delete;
  File &operator=(const File &) = delete;
};

/// The first, of a Raspberry Pi's kernel, is of contiguous memory that is cached. The next three are names of the same:
/// contiguous memory, which every driver can use.
const char *const heaps[] = {
    "vidbuf_cached", "linux,cma", "reserved", "default_cma_region",
#if LCB_SURVIVES_REFUSAL
    "system",
#endif
};

/// Memory of a heap; invalid where it has none.
SharedFD allocate(const File &heap, size_t length) {
  dma_heap_allocation_data data{};
  data.len = length;
  data.fd_flags = O_RDWR | O_CLOEXEC;
  if (ioctl(heap.number, DMA_HEAP_IOCTL_ALLOC, &data) < 0)
    return SharedFD();
  return SharedFD(static_cast<int &&>(data.fd));
}

std::unique_ptr<FrameBuffer> frame(const SharedFD &memory, const Planes &planes) {
  std::vector<FrameBuffer::Plane> all(planes.count);
  for (uint32_t index = 0; index < planes.count; index++) {
    all[index].fd = memory;
    all[index].offset = planes.offset(index);
    all[index].length = planes.bytes[index];
  }
  return std::make_unique<FrameBuffer>(all);
}

} // namespace

Mapping::Mapping(int descriptor, size_t length) : descriptor_(descriptor), length_(length) {
  void *start = mmap(nullptr, length, PROT_READ, MAP_SHARED, descriptor, 0);
  if (start == MAP_FAILED)
    throw Failure::of("mmap of a buffer", -errno);
  start_ = static_cast<uint8_t *>(start);
}

Mapping::Mapping(Mapping &&other) noexcept
    : descriptor_(other.descriptor_), start_(other.start_), length_(other.length_) {
  other.start_ = nullptr;
}

Mapping::~Mapping() {
  if (start_)
    munmap(start_, length_);
}

void Mapping::sync(bool begins) const {
  dma_buf_sync sync{};
  sync.flags = DMA_BUF_SYNC_READ | (begins ? DMA_BUF_SYNC_START : DMA_BUF_SYNC_END);
  while (ioctl(descriptor_, DMA_BUF_IOCTL_SYNC, &sync) < 0 && (errno == EINTR || errno == EAGAIN)) {
  }
}

void Buffer::beginReading() const {
  for (const Mapping &mapping : mappings)
    mapping.beginReading();
}

void Buffer::endReading() const {
  for (const Mapping &mapping : mappings)
    mapping.endReading();
}

std::unique_ptr<Buffers> Buffers::ofHeap(const libcamera::StreamConfiguration &configuration) {
  const Planes planes(configuration);
  for (const char *name : heaps) {
    File heap(open((std::string("/dev/dma_heap/") + name).c_str(), O_RDWR | O_CLOEXEC));
    if (heap.number < 0)
      continue;
    auto found = std::make_unique<Buffers>();
    found->heap_ = name;
    for (unsigned int index = 0; index < configuration.bufferCount; index++) {
      SharedFD memory = allocate(heap, planes.total());
      if (!memory.isValid())
        break;
      auto own = frame(memory, planes);
      FrameBuffer *address = own.get();
      found->add(address, std::move(own), planes);
    }
    if (found->buffers_.size() == configuration.bufferCount)
      return found;
  }
  return nullptr;
}

std::unique_ptr<Buffers> Buffers::ofLibcamera(
    std::shared_ptr<libcamera::Camera> camera, const libcamera::StreamConfiguration &configuration) {
  const Planes planes(configuration);
  auto found = std::make_unique<Buffers>();
  found->allocator_ = std::make_unique<libcamera::FrameBufferAllocator>(camera);
  if (int code = found->allocator_->allocate(configuration.stream()); code < 0)
    throw Failure::of("FrameBufferAllocator::allocate", code);
  for (const auto &frame : found->allocator_->buffers(configuration.stream()))
    found->add(frame.get(), nullptr, planes);
  return found;
}

void Buffers::add(FrameBuffer *frame, std::unique_ptr<FrameBuffer> own, const Planes &planes) {
  Buffer buffer;
  buffer.own = std::move(own);
  buffer.frame = frame;
  const auto &given = frame->planes();
  const uint32_t count = std::min<uint32_t>({uint32_t(given.size()), planes.count, LCB_PLANES});
  // One memory for all planes, as most drivers have it, is mapped once.
  for (uint32_t index = 0; index < count; index++) {
    const int descriptor = given[index].fd.get();
    auto same = [descriptor](const Mapping &mapping) { return mapping.descriptor() == descriptor; };
    if (std::any_of(buffer.mappings.begin(), buffer.mappings.end(), same))
      continue;
    size_t end = 0;
    for (const auto &plane : given)
      if (plane.fd.get() == descriptor)
        end = std::max<size_t>(end, size_t(plane.offset) + plane.length);
    buffer.mappings.emplace_back(descriptor, end);
  }
  for (uint32_t index = 0; index < planes.count; index++) {
    const auto &plane = given[std::min(index, count - 1)];
    // A driver that has all planes in one memory lays them out by its lines' length; libcamera before 0.4 tells other
    // places where lines are longer than the picture.
    const bool isShort = index >= count || plane.length < planes.bytes[index];
    const size_t offset = isShort && buffer.mappings.size() == 1 ? given[0].offset + planes.offset(index) : plane.offset;
    for (const Mapping &mapping : buffer.mappings)
      if (mapping.descriptor() == plane.fd.get() && offset < mapping.length())
        buffer.planes[index] = {mapping.start() + offset, std::min(planes.bytes[index], mapping.length() - offset), 0};
  }
  buffers_.push_back(std::move(buffer));
}
