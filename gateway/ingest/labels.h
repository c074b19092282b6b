/*
 * labels: a metric's labels -> their canonical text, by which equal label sets are one series: an
 * object of strings without blanks, keys sorted bytewise, of a repeated key the last. At most
 * ROW_LABELS_MAX; a key ROW_ID_MAX and a value ROW_LABEL_VALUE_MAX bytes; the text
 * ROW_LABELS_TEXT_MAX. Pure; not thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/slice.h"
#include "proto/row.h"

struct labels_fault {
    struct slice key;   /* whose fault it is, empty for all of them; the arena's or text's */
    const char *reason; /* static; for people, without payload */
};

struct label {
    struct slice key;
    struct slice value;
};

/* Sorted; count is 0 at first. */
struct labels {
    struct label all[ROW_LABELS_MAX];
    uint32_t count;
};

/* Puts one in, in place of one with that key. key and value are borrowed. False: it breaks a rule. */
bool labels_put(struct labels *labels, struct slice key, struct slice value,
                struct labels_fault *fault);

bool labels_have(const struct labels *labels, struct slice key);

/* Appends the canonical text. False: it is too long, and out is as before. */
bool labels_print(const struct labels *labels, struct buf *out, struct labels_fault *fault);

/* The canonical text of labels as they were sent: any JSON that the reader has passed
 * (common/json_read.h). Appends to out. False: they break a rule, and out is as before. */
bool labels_canonical(struct slice text, struct arena *arena, struct buf *out,
                      struct labels_fault *fault);
