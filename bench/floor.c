// The floor that the program is measured against: the least that a frame costs in C, with the same system calls.
//   floor send HOST PORT FPS gso|single FILE...   JPEGs looped by a timer: epoll_wait, read, sendmsg or sendmmsg
//   floor camera HOST PORT gso|single DEVICE      a V4L2 camera of MJPEG: epoll_wait, DQBUF, sendmsg or sendmmsg, QBUF
//   floor drain PORT COUNT                        receives and forgets, until it is killed; the file COUNT has how many, as
//                                                 8 bytes that are mapped
// It trusts its frames: no repair, no statistics, no second receiver.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { PACKET = 1400, NEXT = 20, FIRST = 152, MOST = 4096, GROUP = 46, FILES = 64, BUFFERS = 4 };

static struct iovec ranges[2 * MOST];
static struct mmsghdr messages[MOST];
static unsigned char headers[MOST * NEXT + FIRST];
static uint16_t sequence;

struct picture { const unsigned char *data; size_t size, scan; unsigned char tables[128], type, width, height; };

static void die(const char *what) { perror(what); exit(1); }

static void parse(struct picture *p) {
  size_t at = 2;
  for (;;) {
    unsigned char marker = p->data[at + 1];
    size_t length = p->data[at + 2] << 8 | p->data[at + 3];
    const unsigned char *body = p->data + at + 4;
    if (marker == 0xDB)
      for (size_t i = 0; i + 65 <= length - 2; i += 65) memcpy(p->tables + 64 * (body[i] & 1), body + i + 1, 64);
    if (marker == 0xC0) {
      p->height = (body[1] << 8 | body[2]) / 8;
      p->width = (body[3] << 8 | body[4]) / 8;
      p->type = body[7] == 0x22;
    }
    at += 2 + length;
    if (marker == 0xDA) break;
  }
  p->scan = at;
}

static unsigned char *put(unsigned char *to, const struct picture *p, int is_last, uint32_t timestamp, uint32_t offset) {
  unsigned char rtp[NEXT] = {0x80, 26 | is_last << 7, sequence >> 8, sequence, timestamp >> 24, timestamp >> 16,
                             timestamp >> 8, timestamp, 1, 2, 3, 4, 0, offset >> 16, offset >> 8, offset,
                             p->type, 255, p->width, p->height};
  sequence++;
  memcpy(to, rtp, NEXT);
  return to + NEXT;
}

static int plan(const struct picture *p, uint32_t timestamp) {
  const unsigned char *scan = p->data + p->scan;
  size_t left = p->size - p->scan, offset = 0;
  unsigned char *to = headers;
  int count = 0;
  for (; left; count++) {
    unsigned char *start = to;
    size_t room = PACKET - (offset ? NEXT : FIRST), part = left < room ? left : room;
    to = put(to, p, part == left, timestamp, offset);
    if (!offset) {
      memcpy(to, "\0\0\0\x80", 4);
      memcpy(to + 4, p->tables, 128);
      to += 132;
    }
    ranges[2 * count] = (struct iovec){start, to - start};
    ranges[2 * count + 1] = (struct iovec){(void *)(scan + offset), part};
    offset += part;
    left -= part;
  }
  return count;
}

static void send_all(int fd, int count, int gso) {
  if (!gso) {
    for (int i = 0; i < count; i++)
      messages[i].msg_hdr = (struct msghdr){.msg_iov = ranges + 2 * i, .msg_iovlen = 2};
    for (int sent = 0; sent < count;) {
      int now = sendmmsg(fd, messages + sent, count - sent, 0);
      if (now <= 0) return;
      sent += now;
    }
    return;
  }
  for (int i = 0; i < count; i += GROUP) {
    int group = count - i < GROUP ? count - i : GROUP;
    char control[CMSG_SPACE(2)] = {0};
    struct msghdr message = {.msg_iov = ranges + 2 * i, .msg_iovlen = 2 * group};
    if (group > 1) {
      message.msg_control = control;
      message.msg_controllen = sizeof control;
      struct cmsghdr *header = CMSG_FIRSTHDR(&message);
      header->cmsg_level = IPPROTO_UDP;
      header->cmsg_type = UDP_SEGMENT;
      header->cmsg_len = CMSG_LEN(2);
      *(uint16_t *)CMSG_DATA(header) = PACKET;
    }
    if (sendmsg(fd, &message, 0) < 0) return;
  }
}

static int destination(const char *host, const char *port) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
  inet_pton(AF_INET, host, &to.sin_addr);
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), size = 1 << 20;
  setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
  if (connect(fd, (struct sockaddr *)&to, sizeof to)) die("connect");
  return fd;
}

static int loop(int fd) {
  int epoll = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event)) die("epoll_ctl");
  return epoll;
}

static void send_files(int fd, double fps, int gso, char **names, int count) {
  static struct picture pictures[FILES];
  if (count > FILES) count = FILES;
  for (int i = 0; i < count; i++) {
    int file = open(names[i], O_RDONLY);
    if (file < 0) die(names[i]);
    pictures[i].size = lseek(file, 0, SEEK_END);
    pictures[i].data = mmap(NULL, pictures[i].size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
    parse(&pictures[i]);
  }
  int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK), epoll = loop(timer);
  long interval = 1e9 / fps;
  struct itimerspec beat = {{interval / 1000000000, interval % 1000000000}, {0, 1}};
  timerfd_settime(timer, 0, &beat, NULL);
  struct epoll_event event;
  for (unsigned number = 0;; number++) {
    uint64_t beats;
    epoll_wait(epoll, &event, 1, -1);
    if (read(timer, &beats, 8) != 8) continue;
    send_all(fd, plan(&pictures[number % count], number * 3000), gso);
  }
}

static void send_camera(int fd, int gso, const char *path) {
  int device = open(path, O_RDWR | O_NONBLOCK), type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
  if (device < 0) die(path);
  struct v4l2_format format = {.type = type};
  format.fmt.pix = (struct v4l2_pix_format){.width = 1920, .height = 1080, .pixelformat = V4L2_PIX_FMT_MJPEG};
  if (ioctl(device, VIDIOC_S_FMT, &format)) die("VIDIOC_S_FMT");
  struct v4l2_requestbuffers request = {.count = BUFFERS, .type = type, .memory = V4L2_MEMORY_MMAP};
  if (ioctl(device, VIDIOC_REQBUFS, &request)) die("VIDIOC_REQBUFS");
  unsigned char *maps[BUFFERS];
  for (unsigned i = 0; i < BUFFERS; i++) {
    struct v4l2_buffer buffer = {.index = i, .type = type, .memory = V4L2_MEMORY_MMAP};
    if (ioctl(device, VIDIOC_QUERYBUF, &buffer)) die("VIDIOC_QUERYBUF");
    maps[i] = mmap(NULL, buffer.length, PROT_READ | PROT_WRITE, MAP_SHARED, device, buffer.m.offset);
    if (ioctl(device, VIDIOC_QBUF, &buffer)) die("VIDIOC_QBUF");
  }
  if (ioctl(device, VIDIOC_STREAMON, &type)) die("VIDIOC_STREAMON");
  int epoll = loop(device);
  struct epoll_event event;
  for (;;) {
    epoll_wait(epoll, &event, 1, -1);
    struct v4l2_buffer buffer = {.type = type, .memory = V4L2_MEMORY_MMAP};
    if (ioctl(device, VIDIOC_DQBUF, &buffer)) continue;
    struct picture picture = {.data = maps[buffer.index], .size = buffer.bytesused};
    if (buffer.bytesused > 1000) {
      parse(&picture);
      uint64_t at = buffer.timestamp.tv_sec * 1000000ull + buffer.timestamp.tv_usec;
      send_all(fd, plan(&picture, at * 9 / 100), gso);
    }
    ioctl(device, VIDIOC_QBUF, &buffer);
  }
}

static void drain(const char *port, const char *path) {
  int file = open(path, O_RDWR);
  volatile uint64_t *count = mmap(NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (count == MAP_FAILED) die(path);
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
  int fd = socket(AF_INET, SOCK_DGRAM, 0), size = 1 << 25;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
  if (bind(fd, (struct sockaddr *)&at, sizeof at)) die("bind");
  static char memory[64][2048];
  struct mmsghdr in[64];
  struct iovec where[64];
  for (int i = 0; i < 64; i++) {
    where[i] = (struct iovec){memory[i], sizeof memory[i]};
    in[i].msg_hdr = (struct msghdr){.msg_iov = &where[i], .msg_iovlen = 1};
  }
  for (;;) {
    int now = recvmmsg(fd, in, 64, MSG_WAITFORONE, NULL);
    if (now > 0) *count += now;
  }
}

int main(int count, char **words) {
  if (count == 4 && !strcmp(words[1], "drain")) drain(words[2], words[3]);
  if (count > 6 && !strcmp(words[1], "send"))
    send_files(destination(words[2], words[3]), atof(words[4]), !strcmp(words[5], "gso"), words + 6, count - 6);
  if (count == 6 && !strcmp(words[1], "camera"))
    send_camera(destination(words[2], words[3]), !strcmp(words[4], "gso"), words[5]);
  return 2;
}
