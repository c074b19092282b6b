/*
 * writers: which writers have been heard of. Bounded; pure (time is an argument, milliseconds);
 * belongs to deliver's thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/id.h"

struct writers;

struct writers *writers_create(void);
/* NULL is fine. */
void writers_destroy(struct writers *writers);

/* A hello came. True: the first of this id since it was last silent for WRITERS_SILENT_MS. */
bool writers_hear(struct writers *writers, const uint8_t id[ID_SIZE], int64_t now_ms);

enum { WRITERS_SILENT_MS = 5000 };
