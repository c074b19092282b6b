/*
 * splitter: a stream of JSON values (NDJSON, pretty-printed, or one array of them) -> one value after
 * another, in time linear in the bytes. It only finds where values end; whether one is JSON is for the
 * caller to see.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "client/json.h"
#include "client/text.h"

enum { SPLITTER_VALUE_MAX = 256 * 1024 * 1024 };

enum split {
    SPLIT_VALUE,
    SPLIT_END,
    SPLIT_BROKEN, /* a value that does not end, or something else between values; go on behind it */
    SPLIT_TOO_LONG,
    SPLIT_UNREADABLE /* errno */
};

enum splitter_lines {
    LINES_UNKNOWN,
    LINES_EACH, /* each value so far stood on a line of its own */
    LINES_MANY
};

struct splitter {
    FILE *file; /* the caller's */
    char buffer[65536];
    size_t at;
    size_t end;
    struct xtrace_text value;
    uint64_t line; /* where the value began, from 1 on */
    uint64_t _line_now;
    enum splitter_lines _lines;
    bool _is_array; /* the values are the elements of one */
};

void splitter_init(struct splitter *splitter, FILE *file);
void splitter_finish(struct splitter *splitter);

/* value is valid until the next call. */
enum split splitter_next(struct splitter *splitter, struct xtrace_slice *value);
