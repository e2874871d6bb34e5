// libjpeg's compressor behind functions that return: it ends its errors with a jump (longjmp), which may not pass Swift.
#ifndef COMPRESSOR_H
#define COMPRESSOR_H

#include <stddef.h>
#include <stdint.h>

// What it is given: planes of Y, Cb and Cr with colour of half the width, or lines of pixels whose bytes are these.
typedef enum { CJPEG_PLANES, CJPEG_RGB, CJPEG_BGR, CJPEG_RGBX, CJPEG_BGRX, CJPEG_XRGB, CJPEG_XBGR } cjpeg_input;

// All pictures of one compressor.
typedef struct {
  int width, height;
  // Of the JPEG: 2 is 4:2:0, 1 is 4:2:2.
  int lines_per_chroma;
  cjpeg_input input;
} cjpeg_shape;

struct cjpeg;

// NULL where memory is out.
struct cjpeg *cjpeg_create(cjpeg_shape shape);
void cjpeg_destroy(struct cjpeg *);

// A picture is one start, all its lines, one finish. Each gives 0, or -1 and a reason; then the next is a start.
int cjpeg_start(struct cjpeg *, int quality, void *output, size_t size);
// Lines of one row of MCUs: 8 lines of each plane, but 16 of Y in 4:2:0, each as long as its whole blocks.
int cjpeg_write_planes(struct cjpeg *, const uint8_t *const *luma, const uint8_t *const *blue, const uint8_t *const *red);
int cjpeg_write_pixels(struct cjpeg *, const uint8_t *const *lines, int count);
// The JPEG's size in bytes; 0 is a failure.
size_t cjpeg_finish(struct cjpeg *);
const char *cjpeg_reason(const struct cjpeg *);

#endif
