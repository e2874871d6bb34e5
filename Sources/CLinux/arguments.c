#include "CLinux.h"

static int count;
static char **words;

// glibc calls it with main's arguments, before main.
__attribute__((constructor)) static void keep_arguments(int argc, char **argv) {
  count = argc;
  words = argv;
}

int clinux_argument_count(void) { return count; }

const char *clinux_argument(int index) { return index >= 0 && index < count ? words[index] : NULL; }
