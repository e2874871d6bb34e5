// libcamera behind plain C functions: what the program, which is never linked to libcamera, sees of it.
//
// The shared object exports the two functions at the end. A function that can fail returns 0 or a negative errno; the
// reason of a camera's last failure is kept with the camera. Nothing is thrown across. A camera is used by one thread at a
// time. What a pointer of a description leads to stays until the next description of that camera, or its end.
#ifndef LIBCAMERA_BRIDGE_H
#define LIBCAMERA_BRIDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// To be raised with every change of what follows.
#ifndef LCB_INTERFACE
#define LCB_INTERFACE 1
#endif

#ifdef __clang__
#pragma clang assume_nonnull begin
#define LCB_NULLABLE _Nullable
#define LCB_NONNULL _Nonnull
#else
#define LCB_NULLABLE
#define LCB_NONNULL
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lcb_camera lcb_camera;
typedef struct lcb_list lcb_list;

enum { LCB_PLANES = 3 };

// Where a camera is on its device.
typedef enum lcb_location { LCB_FRONT, LCB_BACK, LCB_EXTERNAL, LCB_ELSEWHERE } lcb_location;

typedef struct lcb_identity {
  const char *id;
  // Empty where libcamera has none.
  const char *model;
  lcb_location location;
} lcb_identity;

typedef struct lcb_size {
  uint32_t width, height;
} lcb_size;

// One size of a format, or a range of sizes.
typedef struct lcb_mode {
  // As DRM has it (drm_fourcc.h); formats with a modifier are left out.
  uint32_t fourcc;
  lcb_size smallest, largest, step;
} lcb_mode;

// One that a control's menu has; its name is empty where libcamera has none (before 0.4).
typedef struct lcb_choice {
  double value;
  const char *name;
} lcb_choice;

typedef enum lcb_kind { LCB_SWITCH, LCB_INTEGER, LCB_FRACTION, LCB_RECTANGLE, LCB_OTHER } lcb_kind;

typedef struct lcb_control {
  const char *name;
  lcb_kind kind;
  // How many numbers it takes: a rectangle four; 0: any.
  uint32_t count;
  // NaN where libcamera does not say.
  double minimum, maximum, initial;
  const lcb_choice *LCB_NULLABLE choices;
  uint32_t choice_count;
} lcb_control;

typedef struct lcb_description {
  lcb_identity identity;
  const lcb_mode *LCB_NULLABLE modes;
  uint32_t mode_count;
  const lcb_control *LCB_NULLABLE controls;
  uint32_t control_count;
} lcb_description;

typedef struct lcb_wish {
  uint32_t fourcc;
  lcb_size size;
  uint32_t buffers;
  // The picture is to be turned: bit 0 left to right, bit 1 upside down.
  uint32_t flip;
} lcb_wish;

// How Y, Cb and Cr are made; none where libcamera does not say.
typedef enum lcb_encoding { LCB_UNSAID, LCB_REC601, LCB_REC709, LCB_REC2020 } lcb_encoding;

// What a camera was set to.
typedef struct lcb_stream {
  uint32_t fourcc;
  lcb_size size;
  uint32_t plane_count;
  // Bytes from line to line.
  uint32_t strides[LCB_PLANES];
  uint32_t flip;
  lcb_encoding encoding;
  bool is_full_range;
} lcb_stream;

// Where the buffers are from.
typedef struct lcb_memory {
  uint32_t count;
  // The most bytes that a picture can have.
  size_t bytes;
  // A heap's name in /dev/dma_heap; null: they are libcamera's own.
  const char *LCB_NULLABLE heap;
} lcb_memory;

typedef struct lcb_plane {
  const void *LCB_NULLABLE start;
  // Bytes that can be read.
  size_t room;
  // Bytes that libcamera says were filled.
  size_t used;
} lcb_plane;

typedef struct lcb_frame {
  uint32_t buffer;
  // The driver's number, as far as the pipeline hands it on.
  uint32_t sequence;
  // SensorTimestamp; 0 where there is none. Nanoseconds.
  int64_t sensor_time;
  // The buffer's own. Nanoseconds.
  int64_t buffer_time;
  bool is_damaged;
  lcb_plane planes[LCB_PLANES];
} lcb_frame;

typedef struct lcb_functions {
  // All cameras; the list is to be ended. Sets `count`.
  int (*list)(lcb_list *LCB_NULLABLE *LCB_NONNULL list, uint32_t *count);
  lcb_identity (*listed)(const lcb_list *list, uint32_t index);
  void (*end_list)(lcb_list *list);

  // Finds a camera by its id or its place in the list. There is one to be closed in any case, but with -ENOMEM.
  int (*open)(const char *name, lcb_camera *LCB_NULLABLE *LCB_NONNULL camera);
  // Why the last call failed.
  const char *LCB_NONNULL (*LCB_NONNULL reason)(const lcb_camera *camera);
  // What it is, and takes; once it was configured, as it was configured.
  int (*describe)(lcb_camera *camera, lcb_description *description);
  // Takes the camera, and sets it; again, too: frames must have been given back, and a stream of it ends. It may be set to
  // something else than what was asked for.
  int (*configure)(lcb_camera *camera, const lcb_wish *wish, lcb_stream *stream);
  // Sets a control when it starts: of numbers as many as it takes.
  int (*set)(lcb_camera *camera, const char *name, const double *numbers, uint32_t count);
  // Allocates and maps buffers, and starts.
  int (*start)(lcb_camera *camera, lcb_memory *memory);
  // Readable when a frame may be done, or the camera is gone. -1 before the start.
  int (*descriptor)(const lcb_camera *camera);
  // 1: `frame` is the next one, which is to be given back; 0: there is none. -ENODEV: the camera was unplugged.
  int (*take)(lcb_camera *camera, lcb_frame *frame);
  void (*give_back)(lcb_camera *camera, uint32_t buffer);
  // Stops; the memory stays until the end.
  void (*stop)(lcb_camera *camera);
  void (*close)(lcb_camera *camera);
} lcb_functions;

// LCB_INTERFACE, to be compared before anything else is called.
uint32_t libcamera_bridge_interface(void);
const lcb_functions *libcamera_bridge_functions(void);

typedef uint32_t (*lcb_interface_function)(void);
typedef const lcb_functions *LCB_NULLABLE (*lcb_functions_function)(void);

#ifdef __cplusplus
}
#endif

#ifdef __clang__
#pragma clang assume_nonnull end
#endif

#endif
