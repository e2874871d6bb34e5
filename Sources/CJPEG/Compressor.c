#include "Compressor.h"

#include <stdlib.h>

#include "Failure.h"

struct cjpeg {
  struct jpeg_compress_struct info;
  struct failure failure;
  struct jpeg_destination_mgr destination;
  size_t size;
};

static void begin_output(j_compress_ptr info) { (void)info; }
static boolean no_more_output(j_compress_ptr info) { ERREXIT(info, JERR_BUFFER_SIZE); return FALSE; }
static void end_output(j_compress_ptr info) { (void)info; }

static void set_up(struct cjpeg *self, cjpeg_shape shape) {
  static const struct { J_COLOR_SPACE space; int components; } inputs[] = {
      [CJPEG_PLANES] = {JCS_YCbCr, 3},   [CJPEG_RGB] = {JCS_EXT_RGB, 3},   [CJPEG_BGR] = {JCS_EXT_BGR, 3},
      [CJPEG_RGBX] = {JCS_EXT_RGBX, 4},  [CJPEG_BGRX] = {JCS_EXT_BGRX, 4}, [CJPEG_XRGB] = {JCS_EXT_XRGB, 4},
      [CJPEG_XBGR] = {JCS_EXT_XBGR, 4},
  };
  j_compress_ptr info = &self->info;
  info->image_width = shape.width;
  info->image_height = shape.height;
  info->in_color_space = inputs[shape.input].space;
  info->input_components = inputs[shape.input].components;
  jpeg_set_defaults(info);
  info->raw_data_in = shape.input == CJPEG_PLANES;
  info->comp_info[0].h_samp_factor = 2;
  info->comp_info[0].v_samp_factor = shape.lines_per_chroma;
  self->destination = (struct jpeg_destination_mgr){
      .init_destination = begin_output, .empty_output_buffer = no_more_output, .term_destination = end_output};
  info->dest = &self->destination;
}

struct cjpeg *cjpeg_create(cjpeg_shape shape) {
  struct cjpeg *self = calloc(1, sizeof *self);
  if (!self) return NULL;
  failure_init(&self->failure);
  self->info.err = &self->failure.manager;
  if (setjmp(self->failure.jump)) {
    cjpeg_destroy(self);
    return NULL;
  }
  jpeg_create_compress(&self->info);
  set_up(self, shape);
  return self;
}

void cjpeg_destroy(struct cjpeg *self) {
  jpeg_destroy_compress(&self->info);
  free(self);
}

int cjpeg_start(struct cjpeg *self, int quality, void *output, size_t size) {
  if (setjmp(self->failure.jump)) {
    jpeg_abort_compress(&self->info);
    return -1;
  }
  jpeg_set_quality(&self->info, quality, TRUE);
  // As TurboJPEG has it: the quick one is as good up to there, and is taken by most.
  self->info.dct_method = quality >= 96 ? JDCT_ISLOW : JDCT_FASTEST;
  self->size = size;
  self->destination.next_output_byte = output;
  self->destination.free_in_buffer = size;
  jpeg_start_compress(&self->info, TRUE);
  return 0;
}

int cjpeg_write_planes(struct cjpeg *self, const uint8_t *const *luma, const uint8_t *const *blue, const uint8_t *const *red) {
  if (setjmp(self->failure.jump)) {
    jpeg_abort_compress(&self->info);
    return -1;
  }
  // It reads them only.
  JSAMPARRAY planes[3] = {(JSAMPARRAY)luma, (JSAMPARRAY)blue, (JSAMPARRAY)red};
  jpeg_write_raw_data(&self->info, planes, self->info.comp_info[0].v_samp_factor * DCTSIZE);
  return 0;
}

int cjpeg_write_pixels(struct cjpeg *self, const uint8_t *const *lines, int count) {
  if (setjmp(self->failure.jump)) {
    jpeg_abort_compress(&self->info);
    return -1;
  }
  jpeg_write_scanlines(&self->info, (JSAMPARRAY)lines, count);
  return 0;
}

size_t cjpeg_finish(struct cjpeg *self) {
  if (setjmp(self->failure.jump)) {
    jpeg_abort_compress(&self->info);
    return 0;
  }
  jpeg_finish_compress(&self->info);
  return self->size - self->destination.free_in_buffer;
}

const char *cjpeg_reason(const struct cjpeg *self) { return self->failure.reason; }
