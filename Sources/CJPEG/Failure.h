// How libjpeg's errors end here: its error_exit must not return, and a jump (longjmp) must not pass Swift, so each function
// that calls the library has a setjmp of its own.
#ifndef FAILURE_H
#define FAILURE_H

#include <setjmp.h>
#include <stdio.h>
#include <jpeglib.h>
#include <jerror.h>

struct failure {
  // First: libjpeg hands out a pointer to it.
  struct jpeg_error_mgr manager;
  jmp_buf jump;
  // libjpeg's JERR_… of the last error; -1 where it is none of libjpeg's.
  int code;
  char reason[JMSG_LENGTH_MAX];
};

// Prepares the error manager. `info->err` is to be set to `&failure->manager` before jpeg_create_….
void failure_init(struct failure *);
// Jumps; `code` and `reason` are set before.
void failure_jump(struct failure *) __attribute__((noreturn));

#endif
