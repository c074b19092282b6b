/*
 * labels: a metric's labels as they were sent -> their canonical text, by which equal label sets are one
 * series: an object of strings without blanks, keys sorted bytewise, of a repeated key the last. Pure;
 * not thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/slice.h"

struct labels_fault {
    struct slice key;   /* whose fault it is, empty for all of them; the arena's or text's */
    const char *reason; /* static; for people, without payload */
};

/*
 * text: any JSON that the reader has passed (common/json_read.h). Appends to out. False: they break a
 * rule, and out is as before. At most ROW_LABELS_MAX; a key ROW_ID_MAX and a value ROW_LABEL_VALUE_MAX
 * bytes; the canonical text ROW_LABELS_TEXT_MAX.
 */
bool labels_canonical(struct slice text, struct arena *arena, struct buf *out,
                      struct labels_fault *fault);
