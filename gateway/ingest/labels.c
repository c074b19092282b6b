#include "gateway/ingest/labels.h"

#include "common/json_read.h"
#include "common/json_write.h"
#include "proto/row.h"

/* The reasons name the limits in words. */
_Static_assert(ROW_LABELS_MAX == 64 && ROW_ID_MAX == 800 && ROW_LABEL_VALUE_MAX == 2000 &&
                   ROW_LABELS_TEXT_MAX == 16384,
               "reasons");

struct label {
    struct slice key;
    struct slice value;
};

struct sorted_labels {
    struct label all[ROW_LABELS_MAX];
    uint32_t count;
};

static const struct slice none = {NULL, 0};

static bool fail(struct labels_fault *fault, struct slice key, const char *reason)
{
    *fault = (struct labels_fault){key, reason};
    return false;
}

/* False: there is no room for one more. */
static bool put(struct sorted_labels *labels, const struct label *label)
{
    uint32_t place = labels->count;
    int order = -1;
    while (place > 0 && (order = slice_compare(labels->all[place - 1].key, label->key)) > 0) {
        place--;
    }
    if (place > 0 && order == 0) {
        labels->all[place - 1] = *label;
        return true;
    }
    if (labels->count == ROW_LABELS_MAX) {
        return false;
    }
    memmove(&labels->all[place + 1], &labels->all[place],
            (labels->count - place) * sizeof(labels->all[0]));
    labels->all[place] = *label;
    labels->count++;
    return true;
}

static bool read_label(struct json_reader *reader, struct slice key, struct sorted_labels *labels,
                       struct labels_fault *fault)
{
    struct label label = {.key = key};
    if (!json_string(reader, &label.value)) {
        return fail(fault, key, "not a string");
    }
    if (key.len > ROW_ID_MAX) {
        return fail(fault, none, "a key is longer than 800 bytes");
    }
    if (label.value.len > ROW_LABEL_VALUE_MAX) {
        return fail(fault, key, "longer than 2000 bytes");
    }
    return put(labels, &label) || fail(fault, none, "more than 64 labels");
}

static void print(const struct sorted_labels *labels, struct buf *out)
{
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
}

bool labels_canonical(struct slice text, struct arena *arena, struct buf *out,
                      struct labels_fault *fault)
{
    struct json_reader reader;
    struct sorted_labels labels;
    struct slice key;
    size_t before = out->len;
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
    print(&labels, out);
    if (out->len - before > ROW_LABELS_TEXT_MAX) {
        out->len = before;
        return fail(fault, none, "longer than 16384 bytes in all");
    }
    return true;
}
