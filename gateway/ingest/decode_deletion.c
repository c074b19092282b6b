#include "gateway/ingest/decode_deletion.h"

#include "common/id.h"
#include "common/json_read.h"
#include "gateway/ingest/validate.h"

static const char place[] = "traceIds";

static struct row make_row(const char *target, struct slice id, int64_t received_us)
{
    struct row row = {.kind = ROW_DELETION, .version = version_event(received_us)};
    row_set_slice(&row, DELETION_ID, id);
    row_set_slice(&row, DELETION_TARGET, slice_from(target));
    return row;
}

static void collect_one(const char *target, struct slice id, uint32_t record, int64_t received_us,
                        struct collect *out)
{
    struct row row = make_row(target, id, received_us);
    collect_row(out, record, &row);
}

/* The id as given, and if it is a UUID its two usual spellings. */
static void collect_id(const char *target, struct slice id, uint32_t index, int64_t received_us,
                       struct collect *out)
{
    char hyphenated[UUID_TEXT_SIZE + 1];
    char bare[HEX_TEXT_SIZE + 1];
    size_t len = 0;
    uint32_t record = collect_record(out, place, index, ROW_DELETION, id);
    collect_one(target, id, record, received_us, out);
    if (!uuid_normalise(id, hyphenated)) {
        return;
    }
    for (const char *c = hyphenated; *c != '\0'; c++) {
        if (*c != '-') {
            bare[len++] = *c;
        }
    }
    if (!slice_is(id, hyphenated)) {
        collect_one(target, (struct slice){hyphenated, UUID_TEXT_SIZE}, record, received_us, out);
    }
    if (!slice_equals(id, (struct slice){bare, len})) {
        collect_one(target, (struct slice){bare, len}, record, received_us, out);
    }
}

static enum err read_ids(const struct decode_input *input, struct json_reader *reader,
                         struct collect *out, struct error *error)
{
    uint32_t count = 0;
    struct slice id;
    struct violation violation;
    collect_reset(out); /* a repeated key: the last counts */
    if (!json_array_begin(reader)) {
        return json_failed(reader) ? json_end(reader, error)
                                   : error_set(error, ERR_INVALID, "%s: not an array", place);
    }
    while (json_array_next(reader)) {
        if (count == DECODE_DELETION_IDS_MAX) {
            return error_set(error, ERR_INVALID, "%s: more than %d", place,
                             DECODE_DELETION_IDS_MAX);
        }
        if (!json_string(reader, &id)) {
            return json_failed(reader)
                       ? json_end(reader, error)
                       : error_set(error, ERR_INVALID, "%s[%u]: not a string", place, count);
        }
        struct row row = make_row("trace", id, input->received_us);
        if (!validate_row(&row, input->scratch, &violation)) {
            return error_set(error, ERR_INVALID, "%s[%u]: %s", place, count, violation.reason);
        }
        collect_id("trace", id, count++, input->received_us, out);
    }
    return ERR_OK;
}

enum err decode_deletion(const struct decode_input *input, struct collect *out, struct error *error)
{
    struct json_reader reader;
    struct slice key;
    json_reader_init(&reader, input->body, input->len, input->max_depth, input->scratch);
    enum err err = json_body_begin(&reader, error);
    while (err == ERR_OK && json_object_next(&reader, &key)) {
        if (slice_is(key, place)) {
            err = read_ids(input, &reader, out, error);
        } else {
            json_skip(&reader, NULL);
        }
    }
    if (err == ERR_OK) {
        err = json_end(&reader, error);
    }
    if (err == ERR_OK && out->row_count == 0) {
        return error_set(error, ERR_INVALID, "%s: missing, or empty", place);
    }
    return err;
}

void decode_deletion_path(const char *target, struct slice id, int64_t received_us,
                          struct collect *out)
{
    struct arena arena = ARENA_EMPTY;
    struct violation violation;
    struct row row = make_row(target, id, received_us);
    if (validate_row(&row, &arena, &violation)) {
        collect_id(target, id, COLLECT_ALONE, received_us, out);
    }
    arena_finish(&arena);
}
