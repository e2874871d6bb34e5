#include "Recoder.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "Failure.h"

struct recoder {
  struct failure failure;
  struct jpeg_progress_mgr progress;
  struct jpeg_decompress_struct inputs[2];
  struct jpeg_source_mgr sources[2];
  // What of each input comes after what its source has.
  struct { const JOCTET *start; size_t size; } rests[2];
  struct jpeg_compress_struct output;
  struct jpeg_destination_mgr destination;
  recoder_limits limits;
  bool is_cut;
  // The output is whole: what is wrong after it costs nothing.
  bool is_done;
};

static struct recoder *of(j_common_ptr info) { return info->client_data; }

// Errors and warnings

static recoder_status status(const struct recoder *self) {
  switch (self->failure.code) {
  case -1: case JERR_NO_BACKING_STORE: case JERR_OUT_OF_MEMORY:
    return RECODER_LIMIT;
  case JERR_IMAGE_TOO_BIG: case JERR_WIDTH_OVERFLOW:
    return RECODER_SIZE;
  case JERR_BUFFER_SIZE:
    return RECODER_ROOM;
  case JERR_NO_HUFF_TABLE: case JERR_NO_QUANT_TABLE:
    return RECODER_TABLES;
  case JERR_ARITH_NOTIMPL: case JERR_BAD_J_COLORSPACE: case JERR_BAD_MCU_SIZE: case JERR_BAD_PRECISION:
  case JERR_BAD_SAMPLING: case JERR_CCIR601_NOTIMPL: case JERR_COMPONENT_COUNT: case JERR_CONVERSION_NOTIMPL:
  case JERR_EMPTY_IMAGE: case JERR_FRACT_SAMPLE_NOTIMPL: case JERR_NOTIMPL:
  case JERR_SOF_UNSUPPORTED:
    return RECODER_UNSUPPORTED;
  default:
    return RECODER_DAMAGED;
  }
}

// What is missing at the end is grey. A damaged byte, too, can make the decoder need more than there is: then little is
// missing.
static void warn(j_common_ptr info, int level) {
  if (level >= 0 || info->err->msg_code != JWRN_HIT_MARKER || !info->is_decompressor) return;
  j_decompress_ptr input = (j_decompress_ptr)info;
  // The data of one restart interval ended early, or has a damaged byte that looks like a marker; the next one follows. At
  // any other marker the library waits for the end (jpeg_resync_to_restart).
  int marker = input->unread_marker;
  if (input->restart_interval && (marker < 0xC0 || (marker >= JPEG_RST0 && marker <= JPEG_RST0 + 7))) return;
  JDIMENSION missing = input->total_iMCU_rows - input->input_iMCU_row;
  if (missing > (input->total_iMCU_rows + 7) / 8) of(info)->is_cut = true;
}

// The library calls it for every line or row of MCUs, on both sides.
static void check_time(j_common_ptr info) {
  struct recoder *self = of(info);
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  if ((int64_t)now.tv_sec * 1000000000 + now.tv_nsec < self->limits.deadline) return;
  self->failure.code = -1;
  strcpy(self->failure.reason, "it takes too long");
  failure_jump(&self->failure);
}

// Input and output in memory

static void begin_input(j_decompress_ptr info) { (void)info; }
static void end_input(j_decompress_ptr info) { (void)info; }

static boolean more_input(j_decompress_ptr info) {
  static const JOCTET eoi[] = {0xFF, JPEG_EOI};
  struct recoder *self = of((j_common_ptr)info);
  int index = info == &self->inputs[1];
  info->src->next_input_byte = self->rests[index].size ? self->rests[index].start : eoi;
  info->src->bytes_in_buffer = self->rests[index].size ? self->rests[index].size : sizeof eoi;
  if (!self->rests[index].size) self->is_cut = true;
  self->rests[index].size = 0;
  return TRUE;
}

static void skip_input(j_decompress_ptr info, long count) {
  if (count <= 0) return;
  while ((size_t)count > info->src->bytes_in_buffer) {
    count -= (long)info->src->bytes_in_buffer;
    more_input(info);
    if (of((j_common_ptr)info)->is_cut) return;
  }
  info->src->next_input_byte += count;
  info->src->bytes_in_buffer -= (size_t)count;
}

static void begin_output(j_compress_ptr info) { (void)info; }
static boolean no_more_output(j_compress_ptr info) { ERREXIT(info, JERR_BUFFER_SIZE); return FALSE; }
static void end_output(j_compress_ptr info) { (void)info; }

// Life

struct recoder *recoder_create(void) {
  struct recoder *self = calloc(1, sizeof *self);
  if (!self) return NULL;
  failure_init(&self->failure);
  self->failure.manager.emit_message = warn;
  self->progress.progress_monitor = check_time;
  self->destination = (struct jpeg_destination_mgr){
      .init_destination = begin_output, .empty_output_buffer = no_more_output, .term_destination = end_output};
  for (int index = 0; index < 2; index++)
    self->sources[index] = (struct jpeg_source_mgr){
        .init_source = begin_input, .fill_input_buffer = more_input, .skip_input_data = skip_input,
        .resync_to_restart = jpeg_resync_to_restart, .term_source = end_input};
  if (setjmp(self->failure.jump)) {
    recoder_destroy(self);
    return NULL;
  }
  self->output.err = &self->failure.manager;
  self->output.client_data = self;
  jpeg_create_compress(&self->output);
  self->output.dest = &self->destination;
  self->output.progress = &self->progress;
  return self;
}

void recoder_destroy(struct recoder *self) {
  jpeg_destroy_decompress(&self->inputs[0]);
  jpeg_destroy_decompress(&self->inputs[1]);
  jpeg_destroy_compress(&self->output);
  free(self);
}

static void begin(struct recoder *self, const recoder_limits *limits) {
  self->limits = *limits;
  self->is_cut = false;
  self->is_done = false;
  self->destination.next_output_byte = limits->output;
  self->destination.free_in_buffer = limits->room;
}

static recoder_status end(struct recoder *self, recoder_result *result) {
  *result = (recoder_result){self->limits.room - self->destination.free_in_buffer, self->is_cut};
  return RECODER_DONE;
}

static recoder_status give_up(struct recoder *self, recoder_result *result) {
  jpeg_destroy_decompress(&self->inputs[0]);
  jpeg_destroy_decompress(&self->inputs[1]);
  jpeg_abort_compress(&self->output);
  return self->is_done ? end(self, result) : status(self);
}

static j_decompress_ptr read_header(struct recoder *self, int index, recoder_input input) {
  j_decompress_ptr info = &self->inputs[index];
  // A new one: the tables of the picture before would stand in for those that this one lacks.
  jpeg_destroy_decompress(info);
  info->err = &self->failure.manager;
  info->client_data = self;
  jpeg_create_decompress(info);
  info->src = &self->sources[index];
  info->progress = &self->progress;
  info->mem->max_memory_to_use = (long)self->limits.memory;
  self->sources[index].next_input_byte = input.start;
  self->sources[index].bytes_in_buffer = input.size;
  self->rests[index].start = input.rest;
  self->rests[index].size = input.rest_size;
  jpeg_read_header(info, TRUE);
  return info;
}

// From coefficients

// The output's components are the input's in another order.
static void reorder(struct recoder *self, const int *places, jvirt_barray_ptr *from, jvirt_barray_ptr *to) {
  j_compress_ptr output = &self->output;
  if (output->num_components > 4) ERREXIT(output, JERR_BAD_COMPONENT_ID);
  for (int index = 0; index < output->num_components; index++) {
    int place = places ? places[index] : index;
    if (place < 0 || place >= self->inputs[0].num_components) ERREXIT(output, JERR_BAD_COMPONENT_ID);
    const jpeg_component_info *component = &self->inputs[0].comp_info[place];
    output->comp_info[index].component_id = component->component_id;
    output->comp_info[index].h_samp_factor = component->h_samp_factor;
    output->comp_info[index].v_samp_factor = component->v_samp_factor;
    output->comp_info[index].quant_tbl_no = component->quant_tbl_no;
    to[index] = from[place];
  }
}

recoder_status recoder_transcode(
    struct recoder *self, recoder_input jpeg, const int *places, const recoder_limits *limits, recoder_result *result) {
  if (setjmp(self->failure.jump)) return give_up(self, result);
  begin(self, limits);
  j_decompress_ptr input = read_header(self, 0, jpeg);
  jvirt_barray_ptr *coefficients = jpeg_read_coefficients(input);
  jpeg_copy_critical_parameters(input, &self->output);
  self->output.arith_code = FALSE;
  jvirt_barray_ptr ordered[MAX_COMPONENTS];
  reorder(self, places, coefficients, ordered);
  jpeg_write_coefficients(&self->output, ordered);
  jpeg_finish_compress(&self->output);
  self->is_done = true;
  jpeg_finish_decompress(input);
  return end(self, result);
}

// From pixels

static void start_decoding(j_decompress_ptr input) {
  switch (input->jpeg_color_space) {
  case JCS_YCbCr: input->out_color_space = JCS_YCbCr; break;
  case JCS_GRAYSCALE: case JCS_RGB: input->out_color_space = JCS_RGB; break;
  case JCS_CMYK: case JCS_YCCK: input->out_color_space = JCS_CMYK; break;
  default: ERREXIT(input, JERR_CONVERSION_NOTIMPL);
  }
  jpeg_start_decompress(input);
}

// Whether each line of the picture has a line of colour.
static bool has_all_colour(j_decompress_ptr input) {
  if (input->num_components == 1) return false;
  for (int index = 0; index < input->num_components; index++)
    if (input->comp_info[index].v_samp_factor != input->max_v_samp_factor) return false;
  return true;
}

static void start_encoding(struct recoder *self, int quality, JDIMENSION height, bool is_422) {
  j_compress_ptr output = &self->output;
  output->image_width = self->inputs[0].output_width;
  output->image_height = height;
  output->input_components = 3;
  output->in_color_space = self->inputs[0].out_color_space == JCS_YCbCr ? JCS_YCbCr : JCS_RGB;
  jpeg_set_defaults(output);
  jpeg_set_quality(output, quality, TRUE);
  output->comp_info[0].h_samp_factor = 2;
  output->comp_info[0].v_samp_factor = is_422 ? 1 : 2;
  jpeg_start_compress(output, TRUE);
}

// CMYK in JPEG is inverted, as Adobe's programs have it and all decoders take it: 255 is no ink. In place: three bytes
// for four.
static void to_rgb(JSAMPROW line, JDIMENSION width) {
  for (JDIMENSION x = 0; x < width; x++)
    for (int part = 0; part < 3; part++) line[3 * x + part] = (line[4 * x + part] * line[4 * x + 3] + 127) / 255;
}

static void copy_line(struct recoder *self, j_decompress_ptr input, JSAMPARRAY line) {
  jpeg_read_scanlines(input, line, 1);
  if (input->out_color_space == JCS_CMYK) to_rgb(line[0], input->output_width);
  jpeg_write_scanlines(&self->output, line, 1);
}

static JSAMPARRAY new_line(struct recoder *self) {
  j_decompress_ptr input = &self->inputs[0];
  return input->mem->alloc_sarray((j_common_ptr)input, JPOOL_IMAGE, input->output_width * 4, 1);
}

recoder_status recoder_encode(
    struct recoder *self, recoder_input jpeg, int quality, const recoder_limits *limits, recoder_result *result) {
  if (setjmp(self->failure.jump)) return give_up(self, result);
  begin(self, limits);
  j_decompress_ptr input = read_header(self, 0, jpeg);
  start_decoding(input);
  JSAMPARRAY line = new_line(self);
  start_encoding(self, quality, input->output_height, has_all_colour(input));
  while (input->output_scanline < input->output_height) copy_line(self, input, line);
  jpeg_finish_compress(&self->output);
  self->is_done = true;
  jpeg_finish_decompress(input);
  return end(self, result);
}

recoder_status recoder_weave(
    struct recoder *self, recoder_input top, recoder_input bottom, int quality, const recoder_limits *limits,
    recoder_result *result) {
  if (setjmp(self->failure.jump)) return give_up(self, result);
  begin(self, limits);
  j_decompress_ptr fields[2] = {read_header(self, 0, top), read_header(self, 1, bottom)};
  start_decoding(fields[0]);
  start_decoding(fields[1]);
  // Of an odd number of lines the upper field has one more.
  JDIMENSION more = fields[0]->output_height - fields[1]->output_height;
  if (fields[0]->output_width != fields[1]->output_width || more > 1
      || fields[0]->out_color_space != fields[1]->out_color_space)
    ERREXIT(fields[1], JERR_CONVERSION_NOTIMPL);
  JDIMENSION height = fields[0]->output_height + fields[1]->output_height;
  JSAMPARRAY line = new_line(self);
  // Fields have their colour each: lines of both in one would mix two moments.
  start_encoding(self, quality, height, true);
  for (JDIMENSION y = 0; y < height; y++) copy_line(self, fields[y & 1], line);
  jpeg_finish_compress(&self->output);
  self->is_done = true;
  jpeg_finish_decompress(fields[0]);
  jpeg_finish_decompress(fields[1]);
  return end(self, result);
}
