#include "Failure.h"

static void fail(j_common_ptr info) {
  struct failure *self = (struct failure *)info->err;
  self->code = info->err->msg_code;
  info->err->format_message(info, self->reason);
  failure_jump(self);
}

// It would be printed.
static void keep_quiet(j_common_ptr info) { (void)info; }

void failure_init(struct failure *self) {
  jpeg_std_error(&self->manager);
  self->manager.error_exit = fail;
  self->manager.output_message = keep_quiet;
}

void failure_jump(struct failure *self) { longjmp(self->jump, 1); }
