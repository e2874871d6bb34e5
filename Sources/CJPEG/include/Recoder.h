// libjpeg from a JPEG to a JPEG that RTP can carry, behind functions that return. What the library only warns of costs no
// picture; time and memory are limited.
#ifndef RECODER_H
#define RECODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct recoder;

typedef enum {
  RECODER_DONE,
  // The library can't make sense of its bytes.
  RECODER_DAMAGED,
  // It has not all of its tables.
  RECODER_TABLES,
  // A kind of JPEG that the library does not decode, or a colour space that is not converted here.
  RECODER_UNSUPPORTED,
  // It was given up: the deadline passed, or it takes too much memory.
  RECODER_LIMIT,
  // It is wider or higher than the library takes, which is 65,500 pixels (JPEG_MAX_DIMENSION).
  RECODER_SIZE,
  // The output does not hold it.
  RECODER_ROOM,
} recoder_status;

// A JPEG in one or two parts.
typedef struct {
  const uint8_t *start;
  size_t size;
  // What follows; NULL and 0 where nothing does.
  const uint8_t *rest;
  size_t rest_size;
} recoder_input;

typedef struct {
  uint8_t *output;
  // Bytes of `output`.
  size_t room;
  // CLOCK_MONOTONIC in nanoseconds: work that is not done by then is given up.
  int64_t deadline;
  // Bytes that the library may take for a picture's coefficients.
  size_t memory;
} recoder_limits;

typedef struct {
  // Bytes that were written.
  size_t size;
  // The data ended early: more than an eighth of the picture is missing, or the input ended without EOI.
  bool is_cut;
} recoder_result;

// NULL where memory is out.
struct recoder *recoder_create(void);
void recoder_destroy(struct recoder *);

// The same coefficients as baseline JPEG: one scan, the standard Huffman tables, no restart markers.
// `places` is NULL, or has four entries: which component of the input becomes the first of the output, the second, ….
recoder_status recoder_transcode(
    struct recoder *, recoder_input, const int *places, const recoder_limits *, recoder_result *);
// Decoded and encoded again, 4:2:2 where the picture's colour has all of its lines, else 4:2:0.
recoder_status recoder_encode(struct recoder *, recoder_input, int quality, const recoder_limits *, recoder_result *);
// The same of two fields, whose lines alternate in the new picture, those of `top` first.
recoder_status recoder_weave(
    struct recoder *, recoder_input top, recoder_input bottom, int quality, const recoder_limits *, recoder_result *);

#endif
