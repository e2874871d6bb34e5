// System calls on devices, answered by a test. A program that is linked with this calls these functions in place of the C
// library's; calls on any other path or file descriptor go on to the kernel. The shipped program knows nothing of it.
#ifndef CSCRIPTED_DRIVER_H
#define CSCRIPTED_DRIVER_H

#include <CLinux.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/types.h>

typedef struct scripted_calls {
  // A file descriptor for a scripted path, or a negative errno; 0 where the path is not scripted.
  int (*open)(const char *path);
  bool (*exists)(const char *path);
  // 0, or an errno.
  int (*ioctl)(int fd, unsigned long request, void *argument);
  // NULL where the driver has no such memory.
  void *(*map)(int fd, size_t length, off_t offset);
  // Whether the memory was a scripted driver's.
  bool (*unmap)(void *start, size_t length);
} scripted_calls;

// From now on these are asked.
void scripted_begin(scripted_calls calls);

// The numbers of requests, which Swift does not import.
static const unsigned long SCRIPTED_QUERYCAP = VIDIOC_QUERYCAP;
static const unsigned long SCRIPTED_ENUM_FMT = VIDIOC_ENUM_FMT;
static const unsigned long SCRIPTED_ENUM_FRAMESIZES = VIDIOC_ENUM_FRAMESIZES;
static const unsigned long SCRIPTED_ENUM_FRAMEINTERVALS = VIDIOC_ENUM_FRAMEINTERVALS;
static const unsigned long SCRIPTED_G_FMT = VIDIOC_G_FMT;
static const unsigned long SCRIPTED_TRY_FMT = VIDIOC_TRY_FMT;
static const unsigned long SCRIPTED_S_FMT = VIDIOC_S_FMT;
static const unsigned long SCRIPTED_G_PARM = VIDIOC_G_PARM;
static const unsigned long SCRIPTED_S_PARM = VIDIOC_S_PARM;
static const unsigned long SCRIPTED_REQBUFS = VIDIOC_REQBUFS;
static const unsigned long SCRIPTED_QUERYBUF = VIDIOC_QUERYBUF;
static const unsigned long SCRIPTED_QBUF = VIDIOC_QBUF;
static const unsigned long SCRIPTED_DQBUF = VIDIOC_DQBUF;
static const unsigned long SCRIPTED_STREAMON = VIDIOC_STREAMON;
static const unsigned long SCRIPTED_STREAMOFF = VIDIOC_STREAMOFF;
static const unsigned long SCRIPTED_QUERY_EXT_CTRL = VIDIOC_QUERY_EXT_CTRL;
static const unsigned long SCRIPTED_QUERYMENU = VIDIOC_QUERYMENU;
static const unsigned long SCRIPTED_G_EXT_CTRLS = VIDIOC_G_EXT_CTRLS;
static const unsigned long SCRIPTED_S_EXT_CTRLS = VIDIOC_S_EXT_CTRLS;
static const unsigned long SCRIPTED_ENUMINPUT = VIDIOC_ENUMINPUT;
static const unsigned long SCRIPTED_G_INPUT = VIDIOC_G_INPUT;
static const unsigned long SCRIPTED_S_INPUT = VIDIOC_S_INPUT;
static const unsigned long SCRIPTED_ENUMSTD = VIDIOC_ENUMSTD;
static const unsigned long SCRIPTED_S_STD = VIDIOC_S_STD;
static const unsigned long SCRIPTED_QUERYSTD = VIDIOC_QUERYSTD;
static const unsigned long SCRIPTED_G_DV_TIMINGS = VIDIOC_G_DV_TIMINGS;
static const unsigned long SCRIPTED_S_DV_TIMINGS = VIDIOC_S_DV_TIMINGS;
static const unsigned long SCRIPTED_QUERY_DV_TIMINGS = VIDIOC_QUERY_DV_TIMINGS;
static const unsigned long SCRIPTED_SUBSCRIBE_EVENT = VIDIOC_SUBSCRIBE_EVENT;
static const unsigned long SCRIPTED_DQEVENT = VIDIOC_DQEVENT;
static const unsigned long SCRIPTED_USB_RESET = USBDEVFS_RESET;

static const uint32_t SCRIPTED_NEXT_CTRL = V4L2_CTRL_FLAG_NEXT_CTRL;

// A format has 24 bits of its request's number for its structure's size: how many bytes an argument has.
static inline size_t scripted_size(unsigned long request) { return _IOC_SIZE(request); }

// Packed structures with unions.
static inline void scripted_set_name(struct v4l2_querymenu *menu, const char *name) {
  size_t i = 0;
  for (; i < sizeof menu->name - 1 && name[i]; i++) menu->name[i] = (uint8_t)name[i];
  menu->name[i] = 0;
}
static inline void scripted_set_number(struct v4l2_querymenu *menu, int64_t value) { menu->value = value; }
static inline int64_t scripted_value(const struct v4l2_ext_control *control, bool is_wide) {
  return is_wide ? control->value64 : control->value;
}
static inline void scripted_set_value(struct v4l2_ext_control *control, bool is_wide, int64_t value) {
  if (is_wide) control->value64 = value; else control->value = (int32_t)value;
}
static inline struct v4l2_dv_timings scripted_timings(uint32_t width, uint32_t height, uint32_t total_width,
                                                      uint32_t total_height, uint64_t pixel_clock) {
  struct v4l2_dv_timings timings = {.type = V4L2_DV_BT_656_1120};
  timings.bt.width = width;
  timings.bt.height = height;
  timings.bt.hsync = total_width - width;
  timings.bt.vsync = total_height - height;
  timings.bt.pixelclock = pixel_clock;
  return timings;
}

#endif
