#include "gateway/read/metrics_members.h"

#include "common/utf8.h"

enum { DEPTH_MAX = 32, WORD_SHOWN_MAX = 100 };

static struct slice *find_member(struct metrics_members *members, struct slice key)
{
    return slice_is(key, "view")            ? &members->view
           : slice_is(key, "dimensions")    ? &members->dimensions
           : slice_is(key, "metrics")       ? &members->metrics
           : slice_is(key, "filters")       ? &members->filters
           : slice_is(key, "timeDimension") ? &members->time_dimension
           : slice_is(key, "fromTimestamp") ? &members->from
           : slice_is(key, "toTimestamp")   ? &members->to
           : slice_is(key, "orderBy")       ? &members->order_by
           : slice_is(key, "config")        ? &members->config
                                            : NULL;
}

enum err metrics_find_members(struct metrics_members *members, const char *json,
                              struct arena *arena, struct error *error)
{
    struct json_reader reader;
    struct slice text = arena_copy(arena, slice_from(json)); /* may be written to */
    struct slice key, raw;

    json_reader_init(&reader, (char *)text.data, text.len, DEPTH_MAX, arena);
    if (json_object_begin(&reader)) {
        while (json_object_next(&reader, &key)) {
            struct slice *member = find_member(members, key);
            if (json_skip(&reader, &raw) && member != NULL) {
                *member = slice_is(raw, "null") ? (struct slice){NULL, 0} : raw;
            }
        }
    } else if (!json_failed(&reader)) {
        return error_set(error, ERR_INVALID, "query: not a JSON object");
    }
    enum err err = json_end(&reader, error);
    if (err != ERR_OK) {
        error_context(error, "query");
    }
    return err;
}

struct json_reader metrics_reader(struct arena *arena, struct slice raw)
{
    struct json_reader reader;

    json_reader_init(&reader, (char *)raw.data, raw.len, DEPTH_MAX, arena);
    return reader;
}

bool metrics_string(struct arena *arena, struct slice raw, struct slice *out)
{
    struct json_reader reader = metrics_reader(arena, raw);

    return raw.data != NULL && json_string(&reader, out);
}

struct slice metrics_shown(struct slice word)
{
    if (word.len > WORD_SHOWN_MAX) {
        word.len = WORD_SHOWN_MAX;
        word.len = utf8_valid_prefix(word);
    }
    return word;
}

bool metrics_pair(struct json_reader *reader, const char *first, struct slice *first_raw,
                  const char *second, struct slice *second_raw)
{
    struct slice key, raw;

    *first_raw = *second_raw = (struct slice){NULL, 0};
    if (!json_object_begin(reader)) {
        return false;
    }
    while (json_object_next(reader, &key)) {
        struct slice *member = slice_is(key, first)                      ? first_raw
                               : second != NULL && slice_is(key, second) ? second_raw
                                                                         : NULL;
        if (json_skip(reader, &raw) && member != NULL) {
            *member = slice_is(raw, "null") ? (struct slice){NULL, 0} : raw;
        }
    }
    return true;
}
