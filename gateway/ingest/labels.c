#include "gateway/ingest/labels.h"

#include "common/json_read.h"
#include "common/json_write.h"

/* The reasons name the limits in words. */
_Static_assert(ROW_LABELS_MAX == 64 && ROW_ID_MAX == 800 && ROW_LABEL_VALUE_MAX == 2000 &&
                   ROW_LABELS_TEXT_MAX == 16384,
               "reasons");

static const struct slice none = {NULL, 0};

static bool fail(struct labels_fault *fault, struct slice key, const char *reason)
{
    *fault = (struct labels_fault){key, reason};
    return false;
}

/* The place of a key among the labels, or where it belongs. */
static uint32_t find(const struct labels *labels, struct slice key, bool *found)
{
    uint32_t place = labels->count;
    int order = -1;
    while (place > 0 && (order = slice_compare(labels->all[place - 1].key, key)) > 0) {
        place--;
    }
    *found = place > 0 && order == 0;
    return *found ? place - 1 : place;
}

bool labels_put(struct labels *labels, struct slice key, struct slice value,
                struct labels_fault *fault)
{
    bool found;
    if (key.len > ROW_ID_MAX) {
        return fail(fault, none, "a key is longer than 800 bytes");
    }
    if (value.len > ROW_LABEL_VALUE_MAX) {
        return fail(fault, key, "longer than 2000 bytes");
    }
    uint32_t place = find(labels, key, &found);
    if (!found) {
        if (labels->count == ROW_LABELS_MAX) {
            return fail(fault, none, "more than 64 labels");
        }
        memmove(&labels->all[place + 1], &labels->all[place],
                (labels->count - place) * sizeof(labels->all[0]));
        labels->count++;
    }
    labels->all[place] = (struct label){key, value};
    return true;
}

bool labels_have(const struct labels *labels, struct slice key)
{
    bool found;
    find(labels, key, &found);
    return found;
}

bool labels_print(const struct labels *labels, struct buf *out, struct labels_fault *fault)
{
    size_t before = out->len;
    buf_append_char(out, '{');
    for (uint32_t i = 0; i < labels->count; i++) {
        if (i > 0) {
            buf_append_char(out, ',');
        }
        json_write_string(out, labels->all[i].key);
        buf_append_char(out, ':');
        json_write_string(out, labels->all[i].value);
    }
    buf_append_char(out, '}');
    if (out->len - before > ROW_LABELS_TEXT_MAX) {
        out->len = before;
        return fail(fault, none, "longer than 16384 bytes in all");
    }
    return true;
}

static bool read_label(struct json_reader *reader, struct slice key, struct labels *labels,
                       struct labels_fault *fault)
{
    struct slice value;
    if (!json_string(reader, &value)) {
        return fail(fault, key, "not a string");
    }
    return labels_put(labels, key, value, fault);
}

bool labels_canonical(struct slice text, struct arena *arena, struct buf *out,
                      struct labels_fault *fault)
{
    struct json_reader reader;
    struct labels labels;
    struct slice key;
    labels.count = 0;
    /* The reader writes to its text only where an escape needs it, and this text has been read. */
    json_reader_init(&reader, (char *)text.data, text.len, JSON_DEPTH_MAX, arena);
    if (!json_object_begin(&reader)) {
        return fail(fault, none, "not an object");
    }
    while (json_object_next(&reader, &key)) {
        if (!read_label(&reader, key, &labels, fault)) {
            return false;
        }
    }
    if (json_failed(&reader)) {
        return fail(fault, none, "not an object");
    }
    return labels_print(&labels, out, fault);
}
