#include "writer/texts.h"

#include <stdlib.h>

#include "common/buf.h"
#include "common/json_read.h"
#include "common/json_write.h"

bool texts_parse(struct slice json, struct arena *arena, struct texts *out)
{
    *out = (struct texts){NULL, 0};
    struct json_reader reader;
    json_reader_init(&reader, arena_text(arena, json), json.len, 1, arena);
    /* Each element takes at least its quotes and a comma. */
    struct slice *values = arena_alloc(arena, (json.len / 3 + 1) * sizeof(*values));
    uint32_t count = 0;
    if (!json_array_begin(&reader)) {
        json_fail(&reader, "not an array");
    }
    while (json_array_next(&reader)) {
        if (!json_string(&reader, &values[count++])) {
            json_fail(&reader, "not a string");
        }
    }
    if (json_end(&reader, NULL) != ERR_OK) {
        return false;
    }
    *out = (struct texts){values, count};
    return true;
}

int texts_compare(const struct texts *a, const struct texts *b)
{
    for (uint32_t i = 0; i < a->count && i < b->count; i++) {
        int order = slice_compare(a->values[i], b->values[i]);
        if (order != 0) {
            return order;
        }
    }
    return (a->count > b->count) - (a->count < b->count);
}

static int compare_slices(const void *a, const void *b)
{
    return slice_compare(*(const struct slice *)a, *(const struct slice *)b);
}

struct slice texts_union(const struct texts *a, const struct texts *b, struct arena *arena)
{
    uint32_t count = a->count + b->count;
    struct slice *all = arena_alloc(arena, count * sizeof(*all));
    for (uint32_t i = 0; i < count; i++) {
        all[i] = i < a->count ? a->values[i] : b->values[i - a->count];
    }
    if (count > 1) {
        qsort(all, count, sizeof(*all), compare_slices);
    }
    struct buf json = BUF_EMPTY;
    buf_append_char(&json, '[');
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0 && slice_equals(all[i], all[i - 1])) {
            continue;
        }
        if (i > 0) {
            buf_append_char(&json, ',');
        }
        json_write_string(&json, all[i]);
    }
    buf_append_char(&json, ']');
    struct slice result = arena_copy(arena, buf_slice(&json));
    buf_finish(&json);
    return result;
}
