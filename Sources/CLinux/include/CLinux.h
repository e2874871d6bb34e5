// What Swift's importer can't see of the kernel's and glibc's interface. Each stub says why it exists.
#ifndef CLINUX_H
#define CLINUX_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <link.h>
#include <linux/net_tstamp.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/usbdevice_fs.h>
#include <linux/videodev2.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/timerfd.h>
#include <unistd.h>

// ioctl, open and fcntl are variadic: Swift can't call them.
static inline int clinux_ioctl(int fd, unsigned long request, void *argument) {
  return ioctl(fd, request, argument);
}
static inline int clinux_open(const char *path, int flags, mode_t mode) { return open(path, flags, mode); }

static inline int clinux_duplicate(int fd) { return fcntl(fd, F_DUPFD_CLOEXEC, 0); }

// prctl is variadic, too. Nanoseconds by which the kernel may wake this thread late.
static inline int clinux_set_timer_slack(unsigned long nanoseconds) { return prctl(PR_SET_TIMERSLACK, nanoseconds); }

// The arguments of main: Swift's own CommandLine reads them from /proc, which a chroot need not have.
int clinux_argument_count(void);
const char *clinux_argument(int index);

// A union behind a macro.
static inline int clinux_ignores(int number) {
  struct sigaction action;
  return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

// getopt's state is global variables, which Swift 6 refuses as unsafe across threads; OptionReader takes turns.
static inline void clinux_getopt_reset(void) { optind = 0; opterr = 0; }
static inline const char *clinux_optarg(void) { return optarg; }
static inline int clinux_optind(void) { return optind; }
static inline int clinux_optopt(void) { return optopt; }

// The program's own segments and those of its libraries, of which the kernel maps 16 pages around each that is touched.
// A callback with a structure that has no size in Swift.
static inline int clinux_trim_object(struct dl_phdr_info *object, size_t size, void *unused) {
  (void)size, (void)unused;
  for (int i = 0; i < object->dlpi_phnum; i++) {
    const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
    if (segment->p_type != PT_LOAD || segment->p_flags & PF_W) continue;
    uintptr_t start = (object->dlpi_addr + segment->p_vaddr) & ~(uintptr_t)4095;
    size_t length = object->dlpi_addr + segment->p_vaddr + segment->p_filesz - start;
    madvise((void *)start, length, MADV_WILLNEED);
    madvise((void *)start, length, MADV_RANDOM);
  }
  return 0;
}
static inline void clinux_trim_mappings(void) { dl_iterate_phdr(clinux_trim_object, NULL); }

// CPU_SET and CPU_ZERO are macros.
static inline int clinux_pin_this_thread(int cpu) {
  cpu_set_t set;
  if (cpu < 0 || cpu >= CPU_SETSIZE) return EINVAL;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  return pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

// The CMSG_ macros: the count of datagrams the kernel dropped for a full socket buffer (SO_RXQ_OVFL), or -1.
static inline int64_t clinux_receive_overflow(struct msghdr *message) {
  for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c))
    if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
      uint32_t dropped;
      memcpy(&dropped, CMSG_DATA(c), sizeof dropped);
      return dropped;
    }
  return -1;
}
static const size_t CLINUX_OVERFLOW_SPACE = CMSG_SPACE(sizeof(uint32_t));

// The CMSG_ macros again: the address of this machine that a datagram came to, once it is asked for, and the one that a
// datagram leaves from (IP_PKTINFO, IPV6_PKTINFO).
static const size_t CLINUX_LOCAL_ADDRESS_SPACE = CMSG_SPACE(sizeof(struct in6_pktinfo));
static inline int clinux_local_address(struct msghdr *message, struct sockaddr_in6 *address) {
  for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
    if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
      struct in_pktinfo info;
      memcpy(&info, CMSG_DATA(c), sizeof info);
      struct sockaddr_in found = {.sin_family = AF_INET, .sin_addr = info.ipi_addr};
      memcpy(address, &found, sizeof found);
      return sizeof found;
    }
    if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
      struct in6_pktinfo info;
      memcpy(&info, CMSG_DATA(c), sizeof info);
      *address = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_addr = info.ipi6_addr};
      return sizeof *address;
    }
  }
  return 0;
}
static inline ssize_t clinux_send_from(int fd, const void *bytes, size_t count, const struct sockaddr *to,
                                       socklen_t length, const struct sockaddr *from) {
  union { struct cmsghdr header; char space[CMSG_SPACE(sizeof(struct in6_pktinfo))]; } control = {0};
  struct iovec range = {(void *)bytes, count};
  struct msghdr message = {.msg_name = (void *)to, .msg_namelen = length, .msg_iov = &range, .msg_iovlen = 1,
                           .msg_control = &control};
  if (from->sa_family == AF_INET) {
    struct in_pktinfo info = {.ipi_spec_dst = ((const struct sockaddr_in *)from)->sin_addr};
    control.header = (struct cmsghdr){CMSG_LEN(sizeof info), IPPROTO_IP, IP_PKTINFO};
    memcpy(CMSG_DATA(&control.header), &info, sizeof info);
    message.msg_controllen = CMSG_SPACE(sizeof info);
  } else {
    struct in6_pktinfo info = {.ipi6_addr = ((const struct sockaddr_in6 *)from)->sin6_addr};
    control.header = (struct cmsghdr){CMSG_LEN(sizeof info), IPPROTO_IPV6, IPV6_PKTINFO};
    memcpy(CMSG_DATA(&control.header), &info, sizeof info);
    message.msg_controllen = CMSG_SPACE(sizeof info);
  }
  return sendmsg(fd, &message, 0);
}

// The CMSG_ macros again: sends packets of `size` bytes as one datagram, which the kernel cuts apart (UDP_SEGMENT), and where
// they wait for it says when they leave: nanoseconds of the clock that SO_TXTIME was told.
static inline ssize_t clinux_send_segments(int fd, struct iovec *ranges, size_t count, uint16_t size, bool waits,
                                           uint64_t departure) {
  // The array first, so that all of it is zero: the kernel is handed what lies between the fields, too.
  union { char space[CMSG_SPACE(sizeof size) + CMSG_SPACE(sizeof departure)]; struct cmsghdr header; } control = {{0}};
  struct msghdr message = {.msg_iov = ranges, .msg_iovlen = count, .msg_control = &control,
                           .msg_controllen = CMSG_SPACE(sizeof size)};
  control.header = (struct cmsghdr){CMSG_LEN(sizeof size), IPPROTO_UDP, UDP_SEGMENT};
  memcpy(CMSG_DATA(&control.header), &size, sizeof size);
  if (waits) {
    struct cmsghdr *header = (struct cmsghdr *)(control.space + CMSG_SPACE(sizeof size));
    *header = (struct cmsghdr){CMSG_LEN(sizeof departure), SOL_SOCKET, SCM_TXTIME};
    memcpy(CMSG_DATA(header), &departure, sizeof departure);
    message.msg_controllen = sizeof control.space;
  }
  return sendmsg(fd, &message, 0);
}

// Macros with a cast or a function call in them (_IOWR, v4l2_fourcc) are not imported.
static const unsigned long CLINUX_VIDIOC_QUERYCAP = VIDIOC_QUERYCAP;
static const unsigned long CLINUX_VIDIOC_ENUM_FMT = VIDIOC_ENUM_FMT;
static const unsigned long CLINUX_VIDIOC_ENUM_FRAMESIZES = VIDIOC_ENUM_FRAMESIZES;
static const unsigned long CLINUX_VIDIOC_ENUM_FRAMEINTERVALS = VIDIOC_ENUM_FRAMEINTERVALS;
static const unsigned long CLINUX_VIDIOC_TRY_FMT = VIDIOC_TRY_FMT;
static const unsigned long CLINUX_VIDIOC_S_FMT = VIDIOC_S_FMT;
static const unsigned long CLINUX_VIDIOC_G_PARM = VIDIOC_G_PARM;
static const unsigned long CLINUX_VIDIOC_S_PARM = VIDIOC_S_PARM;
static const unsigned long CLINUX_VIDIOC_REQBUFS = VIDIOC_REQBUFS;
static const unsigned long CLINUX_VIDIOC_QUERYBUF = VIDIOC_QUERYBUF;
static const unsigned long CLINUX_VIDIOC_QBUF = VIDIOC_QBUF;
static const unsigned long CLINUX_VIDIOC_DQBUF = VIDIOC_DQBUF;
static const unsigned long CLINUX_VIDIOC_STREAMON = VIDIOC_STREAMON;
static const unsigned long CLINUX_VIDIOC_STREAMOFF = VIDIOC_STREAMOFF;

static const unsigned long CLINUX_VIDIOC_SUBSCRIBE_EVENT = VIDIOC_SUBSCRIBE_EVENT;
static const unsigned long CLINUX_VIDIOC_DQEVENT = VIDIOC_DQEVENT;
static const unsigned long CLINUX_VIDIOC_ENUMINPUT = VIDIOC_ENUMINPUT;
static const unsigned long CLINUX_VIDIOC_G_INPUT = VIDIOC_G_INPUT;
static const unsigned long CLINUX_VIDIOC_S_INPUT = VIDIOC_S_INPUT;
static const unsigned long CLINUX_VIDIOC_ENUMSTD = VIDIOC_ENUMSTD;
static const unsigned long CLINUX_VIDIOC_S_STD = VIDIOC_S_STD;
static const unsigned long CLINUX_VIDIOC_QUERYSTD = VIDIOC_QUERYSTD;
static const unsigned long CLINUX_VIDIOC_G_DV_TIMINGS = VIDIOC_G_DV_TIMINGS;
static const unsigned long CLINUX_VIDIOC_S_DV_TIMINGS = VIDIOC_S_DV_TIMINGS;
static const unsigned long CLINUX_VIDIOC_QUERY_DV_TIMINGS = VIDIOC_QUERY_DV_TIMINGS;
static const unsigned long CLINUX_USBDEVFS_RESET = USBDEVFS_RESET;

static const unsigned long CLINUX_VIDIOC_QUERY_EXT_CTRL = VIDIOC_QUERY_EXT_CTRL;
static const unsigned long CLINUX_VIDIOC_QUERYMENU = VIDIOC_QUERYMENU;
static const unsigned long CLINUX_VIDIOC_G_EXT_CTRLS = VIDIOC_G_EXT_CTRLS;
static const unsigned long CLINUX_VIDIOC_S_EXT_CTRLS = VIDIOC_S_EXT_CTRLS;
static const uint32_t CLINUX_CTRL_FLAG_NEXT_CTRL = V4L2_CTRL_FLAG_NEXT_CTRL;
static const uint32_t CLINUX_CID_HFLIP = V4L2_CID_HFLIP;
static const uint32_t CLINUX_CID_VFLIP = V4L2_CID_VFLIP;

// Packed structures with unions: 64 bits may lie at an odd place, where Swift does not expect them.
static inline struct v4l2_ext_control clinux_control(uint32_t id, int is_wide, int64_t value) {
  struct v4l2_ext_control control = {.id = id};
  if (is_wide) control.value64 = value; else control.value = (int32_t)value;
  return control;
}
static inline int64_t clinux_control_value(const struct v4l2_ext_control *control, int is_wide) {
  return is_wide ? control->value64 : control->value;
}
static inline int64_t clinux_menu_value(const struct v4l2_querymenu *menu) { return menu->value; }
static const size_t CLINUX_MENU_NAME_SIZE = sizeof ((struct v4l2_querymenu *)0)->name;
static inline const char *clinux_menu_name(const struct v4l2_querymenu *menu) { return (const char *)menu->name; }

// Packed, too. All sides are unsigned and wrap: what a driver reports of them is checked by the caller.
struct clinux_video_timings {
  uint32_t type, width, height, is_interlaced, total_width, total_height;
  uint64_t pixel_clock;
};
static inline struct clinux_video_timings clinux_read_timings(const struct v4l2_dv_timings *timings) {
  const struct v4l2_bt_timings *bt = &timings->bt;
  return (struct clinux_video_timings){
      timings->type, bt->width, bt->height, bt->interlaced, V4L2_DV_BT_FRAME_WIDTH(bt), V4L2_DV_BT_FRAME_HEIGHT(bt),
      bt->pixelclock};
}

// Functions behind macros: major and minor.
static inline unsigned int clinux_major(dev_t device) { return major(device); }
static inline unsigned int clinux_minor(dev_t device) { return minor(device); }

static const uint32_t CLINUX_V4L2_PIX_FMT_MJPEG = V4L2_PIX_FMT_MJPEG;
static const uint32_t CLINUX_V4L2_PIX_FMT_JPEG = V4L2_PIX_FMT_JPEG;

#endif
