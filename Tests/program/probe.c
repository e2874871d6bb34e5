// Watches a streamer from inside (LD_PRELOAD): allocations on the threads that send, and whether the scan data that
// is handed to the kernel lies in the camera's own mapping. Writes JSON to $PROBE_OUT at the end.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <linux/videodev2.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

enum { VIDEO_MAJOR = 81, MOST_MAPS = 64 };

static atomic_long frames, allocations, exempt_allocations, scan_inside, scan_outside, sends;
static struct { char *start; size_t length; } maps[MOST_MAPS];
static atomic_int map_count;

// Allocations of this thread since it last sent; those before its first packet are set-up.
static __thread long pending __attribute__((tls_model("initial-exec")));
static __thread long pending_exempt __attribute__((tls_model("initial-exec")));
static __thread int has_sent __attribute__((tls_model("initial-exec")));
static __thread int is_inside __attribute__((tls_model("initial-exec")));
static __thread char caller_name[256] __attribute__((tls_model("initial-exec")));
static char first_caller[256];

// C++'s `new` is asked for by somebody: the first that is not the C++ library.
static void *behind_new(Dl_info *info) {
  void *callers[16];
  int count = backtrace(callers, 16);
  for (int i = 0; i < count; i++)
    if (dladdr(callers[i], info) && info->dli_fname && !strstr(info->dli_fname, "/libstdc++.so") &&
        !strstr(info->dli_fname, "/probe.so"))
      return callers[i];
  return NULL;
}

// The libraries' own allocations are not ours.
static void count(void *caller) {
  if (!has_sent || is_inside) return;
  is_inside = 1;
  Dl_info info;
  const char *name = dladdr(caller, &info) && info.dli_fname ? info.dli_fname : "?";
  if (strstr(name, "/libstdc++.so")) name = behind_new(&info) ? info.dli_fname : "?";
  if (strstr(name, "/libturbojpeg.so") || strstr(name, "/libjpeg.so") || strstr(name, "/libcamera")) {
    pending_exempt++;
  } else {
    if (pending++ == 0) snprintf(caller_name, sizeof caller_name, "%s %s", name, info.dli_sname ? info.dli_sname : "?");
  }
  is_inside = 0;
}

void *malloc(size_t size) { count(__builtin_return_address(0)); return __libc_malloc(size); }
void *calloc(size_t n, size_t size) { count(__builtin_return_address(0)); return __libc_calloc(n, size); }
void *realloc(void *p, size_t size) { count(__builtin_return_address(0)); return __libc_realloc(p, size); }
void *memalign(size_t a, size_t size) { count(__builtin_return_address(0)); return __libc_memalign(a, size); }
void *aligned_alloc(size_t a, size_t size) { count(__builtin_return_address(0)); return __libc_memalign(a, size); }
int posix_memalign(void **p, size_t a, size_t size) {
  count(__builtin_return_address(0));
  *p = __libc_memalign(a, size);
  return *p ? 0 : 12;
}

// A video device, or a dma-buf.
static int is_buffer(int fd) {
  struct stat status;
  if (fstat(fd, &status) == 0 && S_ISCHR(status.st_mode)) return major(status.st_rdev) == VIDEO_MAJOR;
  char path[64], target[64] = "";
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  return readlink(path, target, sizeof target - 1) > 0 && strncmp(target, "/dmabuf", 7) == 0;
}

void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset) {
  void *start = (void *)syscall(SYS_mmap, address, length, protection, flags, fd, offset);
  if (start != MAP_FAILED && fd >= 0 && is_buffer(fd)) {
    int index = atomic_fetch_add(&map_count, 1);
    if (index < MOST_MAPS) { maps[index].start = start; maps[index].length = length; }
  }
  return start;
}

// A driver that can't use memory of others: with $PROBE_DMABUF=COUNT:MILLISECONDS it refuses that many dma-bufs, and takes
// as long for each.
static int is_refused(const struct v4l2_buffer *buffer) {
  static atomic_int refused;
  const char *text = getenv("PROBE_DMABUF");
  int count, milliseconds;
  if (!text || buffer->memory != V4L2_MEMORY_DMABUF || sscanf(text, "%d:%d", &count, &milliseconds) != 2) return 0;
  if (refused++ >= count) return 0;
  usleep(1000 * milliseconds);
  return 1;
}

// A driver whose timestamps are no good: with $PROBE_STAMPS=COUNT so many frames have the timestamp of their first, with 0 all
// of them have; with a negative COUNT, each of so many is 100 ms back.
static void spoil_timestamp(struct v4l2_buffer *buffer) {
  static struct timeval kept;
  static int number;
  const char *text = getenv("PROBE_STAMPS");
  int count = text ? atoi(text) : 1;
  if (count < 0) {
    if (number++ % -count == 0) buffer->timestamp.tv_usec -= 100000;
    if (buffer->timestamp.tv_usec < 0) { buffer->timestamp.tv_usec += 1000000; buffer->timestamp.tv_sec--; }
    return;
  }
  if (count ? number++ % count == 0 : number++ == 0) kept = buffer->timestamp;
  buffer->timestamp = kept;
}

// A driver that refuses to stream: VIDIOC_STREAMON fails with the number in $PROBE_STREAMON.
int ioctl(int fd, unsigned long request, ...) {
  va_list arguments;
  va_start(arguments, request);
  void *argument = va_arg(arguments, void *);
  va_end(arguments);
  const char *refused = getenv("PROBE_STREAMON");
  if (request == VIDIOC_STREAMON && refused) {
    errno = atoi(refused);
    return -1;
  }
  if (request == VIDIOC_QBUF && is_refused(argument)) {
    errno = EINVAL;
    return -1;
  }
  int result = syscall(SYS_ioctl, fd, request, argument);
  if (request == VIDIOC_DQBUF && result == 0) spoil_timestamp(argument);
  return result;
}

static int is_mapped(const struct iovec *range) {
  int count = map_count < MOST_MAPS ? map_count : MOST_MAPS;
  for (int i = 0; i < count; i++)
    if ((char *)range->iov_base >= maps[i].start &&
        (char *)range->iov_base + range->iov_len <= maps[i].start + maps[i].length)
      return 1;
  return 0;
}

// A packet is two ranges: headers, and scan data.
static void look(const struct msghdr *message) {
  for (size_t i = 0; i + 1 < message->msg_iovlen; i += 2) {
    const unsigned char *header = message->msg_iov[i].iov_base;
    if (header[1] & 0x80) frames++;
    if (is_mapped(&message->msg_iov[i + 1])) scan_inside++; else scan_outside++;
  }
}

static void settle(void) {
  if (has_sent) { allocations += pending; exempt_allocations += pending_exempt; }
  if (has_sent && pending && !first_caller[0]) memcpy(first_caller, caller_name, sizeof first_caller);
  pending = pending_exempt = 0;
  has_sent = 1;
  sends++;
}

// A delay before each call that sends: $PROBE_DELAY_US.
static void delay(void) {
  const char *text = getenv("PROBE_DELAY_US");
  if (text) usleep(atoi(text));
}

// A firewall that drops packets on their way out: what sends fails with the number in $PROBE_SEND.
static int is_dropped(void) {
  const char *text = getenv("PROBE_SEND");
  if (text) errno = atoi(text);
  return text != NULL;
}

int sendmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags) {
  settle();
  delay();
  if (is_dropped()) return -1;
  long sent = syscall(SYS_sendmmsg, fd, messages, count, flags);
  for (long i = 0; i < sent; i++) look(&messages[i].msg_hdr);
  return sent;
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
  settle();
  delay();
  if (is_dropped()) return -1;
  ssize_t sent = syscall(SYS_sendmsg, fd, message, flags);
  if (sent >= 0) look(message);
  return sent;
}

__attribute__((destructor)) static void report(void) {
  const char *path = getenv("PROBE_OUT");
  FILE *file = path ? fopen(path, "w") : NULL;
  if (!file) return;
  fprintf(file,
          "{\"frames\": %ld, \"sends\": %ld, \"allocations\": %ld, \"exempt_allocations\": %ld, "
          "\"scan_inside\": %ld, \"scan_outside\": %ld, \"mappings\": %d, \"first_caller\": \"%s\"}\n",
          frames, sends, allocations, exempt_allocations, scan_inside, scan_outside, map_count, first_caller);
  fclose(file);
}
