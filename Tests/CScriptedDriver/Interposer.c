#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "CScriptedDriver.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MOST_FILES = 4096 };

static scripted_calls calls;
static atomic_bool has_begun;
// By file descriptor: whether it is a scripted driver's.
static atomic_bool is_scripted[MOST_FILES];

void scripted_begin(scripted_calls new_calls) {
  calls = new_calls;
  atomic_store(&has_begun, true);
}

static bool is_ours(int fd) { return fd >= 0 && fd < MOST_FILES && atomic_load(&is_scripted[fd]); }

int open(const char *path, int flags, ...) {
  mode_t mode = 0;
  if (flags & (O_CREAT | O_TMPFILE)) {
    va_list arguments;
    va_start(arguments, flags);
    mode = va_arg(arguments, mode_t);
    va_end(arguments);
  }
  int fd = atomic_load(&has_begun) ? calls.open(path) : 0;
  if (fd == 0) return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
  if (fd < 0) {
    errno = -fd;
    return -1;
  }
  if (fd < MOST_FILES) atomic_store(&is_scripted[fd], true);
  return fd;
}

int close(int fd) {
  if (is_ours(fd)) atomic_store(&is_scripted[fd], false);
  return (int)syscall(SYS_close, fd);
}

int stat(const char *path, struct stat *status) {
  if (atomic_load(&has_begun) && calls.exists(path)) path = "/dev/null";
  return (int)syscall(SYS_newfstatat, AT_FDCWD, path, status, 0);
}

int ioctl(int fd, unsigned long request, ...) {
  va_list arguments;
  va_start(arguments, request);
  void *argument = va_arg(arguments, void *);
  va_end(arguments);
  if (!is_ours(fd)) return (int)syscall(SYS_ioctl, fd, request, argument);
  int error = calls.ioctl(fd, request, argument);
  if (error == 0) return 0;
  errno = error;
  return -1;
}

void *mmap(void *start, size_t length, int protection, int flags, int fd, off_t offset) {
  if (!is_ours(fd)) return (void *)syscall(SYS_mmap, start, length, protection, flags, fd, offset);
  void *memory = length > 0 ? calls.map(fd, length, offset) : NULL;
  if (memory) return memory;
  errno = EINVAL;
  return MAP_FAILED;
}

int munmap(void *start, size_t length) {
  if (atomic_load(&has_begun) && calls.unmap(start, length)) return 0;
  return (int)syscall(SYS_munmap, start, length);
}
