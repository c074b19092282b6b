#include "gateway/ingest/fields.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/rfc3339.h"
#include "gateway/ingest/validate.h"

#define NO_FIELD UINT32_MAX

struct reading {
    const struct fields *fields;
    struct json_reader *reader; /* the caller's */
    struct arena *arena;        /* the caller's */
    struct fields_row *out;
};

static const struct field *field_at(const struct fields *fields, uint32_t field)
{
    return field < fields->count ? &fields->table[field] : &fields->nested[field - fields->count];
}

/* From begin up to end; hint is where the last key was: clients send them in much the same order as
 * the table has them. */
static uint32_t find_field(const struct fields *fields, struct slice key, uint32_t begin,
                           uint32_t end, uint32_t hint)
{
    for (uint32_t i = begin, at = hint; i < end; i++, at++) {
        at = at >= end ? begin : at;
        const struct field *field = field_at(fields, at);
        if (field->key_len == key.len && memcmp(field->key, key.data, key.len) == 0) {
            return at;
        }
    }
    return NO_FIELD;
}

static void set_fault(struct fields_row *out, uint32_t field, const char *reason)
{
    out->_faulty |= UINT64_C(1) << field;
    out->_faults[field] = (struct fault){reason, field, FIELDS_NO_INDEX};
}

/* Forgets what an earlier member of the same key said. */
static void clear_field(const struct fields *fields, struct fields_row *out, uint32_t field)
{
    uint32_t column = field_at(fields, field)->column;
    out->_faulty &= ~(UINT64_C(1) << field);
    if (field_at(fields, field)->form == FORM_ASIDE) {
        out->asides[column] = (struct slice){NULL, 0};
    } else if (row_has(&out->row, column) && out->_owners[column] == field) {
        row_clear(&out->row, column);
    }
}

static bool is_empty_array(struct slice raw)
{
    for (size_t i = 1; i + 1 < raw.len; i++) {
        if (raw.data[i] != ' ' && raw.data[i] != '\n' && raw.data[i] != '\r' &&
            raw.data[i] != '\t') {
            return false;
        }
    }
    return true;
}

/*
 * Each take_ function passes the value if it is of its form and sets value. It returns the reason if
 * it is not; the value may stand there still then. absent stays false unless the value says as
 * little as null.
 */

static const char *take_uuid(const struct reading *reading, uint32_t field, struct value *value)
{
    struct slice text;
    if (!json_string(reading->reader, &text)) {
        return "not a string";
    }
    char *uuid = reading->out->_uuids[field];
    if (!uuid_normalise(text, uuid)) {
        return "not a UUID";
    }
    value->slice = (struct slice){uuid, UUID_TEXT_SIZE};
    return NULL;
}

static const char *take_time(const struct reading *reading, struct value *value)
{
    static const char reason[] = "not an RFC 3339 time with an offset";
    struct slice text;
    return json_string(reading->reader, &text) && rfc3339_parse(text, &value->integer) ? NULL
                                                                                       : reason;
}

static const char *take_strings(const struct reading *reading, struct value *value, bool *absent)
{
    if (json_peek(reading->reader) != JSON_ARRAY) {
        return "not an array of strings";
    }
    json_skip(reading->reader, &value->slice);
    *absent = is_empty_array(value->slice);
    return NULL;
}

static const char *take_bool(const struct reading *reading, struct value *value)
{
    bool flag;
    if (!json_bool(reading->reader, &flag)) {
        return "not true or false";
    }
    value->integer = flag;
    return NULL;
}

static const char *take_number(const struct reading *reading, enum form form, struct value *value)
{
    struct slice number;
    if (!json_number(reading->reader, &number)) {
        return form == FORM_TEXT_OR_WHOLE ? "not a string or a whole number" : "not a number";
    }
    switch (form) {
    case FORM_FLOAT:
        return json_number_double(number, &value->real) ? NULL : "beyond the range of a double";
    case FORM_INTEGER:
        return json_number_int64(number, &value->integer) ? NULL : "not a 64-bit integer";
    case FORM_WHOLE:
        return json_number_whole(number, &value->integer) ? NULL : "not a whole number";
    default:
        value->slice = number;
        return NULL;
    }
}

static const char *take_text_or_whole(const struct reading *reading, struct value *value)
{
    enum { TEXT_SIZE = 24 };
    if (json_string(reading->reader, &value->slice)) {
        return NULL;
    }
    const char *reason = take_number(reading, FORM_TEXT_OR_WHOLE, value);
    int64_t number;
    if (reason == NULL && !json_number_whole(value->slice, &number)) {
        reason = "not a string or a whole number";
    }
    if (reason == NULL) {
        char *text = arena_alloc(reading->arena, TEXT_SIZE);
        int len = snprintf(text, TEXT_SIZE, "%" PRId64, number);
        value->slice = (struct slice){text, (size_t)len};
    }
    return reason;
}

static const char *take_value(const struct reading *reading, uint32_t field, struct value *value,
                              bool *absent)
{
    enum form form = (enum form)field_at(reading->fields, field)->form;
    switch (form) {
    case FORM_TEXT:
        return json_string(reading->reader, &value->slice) ? NULL : "not a string";
    case FORM_UUID:
        return take_uuid(reading, field, value);
    case FORM_TIME:
        return take_time(reading, value);
    case FORM_JSON:
    case FORM_ASIDE:
        json_skip(reading->reader, &value->slice);
        return NULL;
    case FORM_STRINGS:
        return take_strings(reading, value, absent);
    case FORM_BOOL:
        return take_bool(reading, value);
    case FORM_TEXT_OR_WHOLE:
        return take_text_or_whole(reading, value);
    case FORM_FLOAT:
    case FORM_DECIMAL:
    case FORM_INTEGER:
    case FORM_WHOLE:
        return take_number(reading, form, value);
    case FORM_NESTED:
        break;
    }
    assert(false);
    return NULL;
}

/* The reader stands before the value of a field that is not nested. */
static void read_field(const struct reading *reading, uint32_t field)
{
    struct fields_row *out = reading->out;
    struct json_reader *reader = reading->reader;
    clear_field(reading->fields, out, field);
    if (json_null(reader)) {
        return;
    }
    struct value value;
    bool absent = false;
    size_t begin = json_offset(reader);
    const char *reason = take_value(reading, field, &value, &absent);
    if (reason != NULL && json_offset(reader) == begin) {
        json_skip(reader, NULL);
    }
    const char *unfit = json_take_unfit(reader);
    if (unfit != NULL || reason != NULL) {
        set_fault(out, field, unfit != NULL ? unfit : reason);
        return;
    }
    uint32_t column = field_at(reading->fields, field)->column;
    if (field_at(reading->fields, field)->form == FORM_ASIDE) {
        out->asides[column] = value.slice;
        return;
    }
    if (absent || (row_has(&out->row, column) && out->_owners[column] < field)) {
        return;
    }
    out->row.values[column] = value;
    out->row.present |= UINT64_C(1) << column;
    out->_owners[column] = (uint8_t)field;
}

static void read_nested(const struct reading *reading)
{
    const struct fields *fields = reading->fields;
    struct slice key;
    uint32_t begin = fields->count;
    uint32_t end = fields->count + fields->nested_count;
    for (uint32_t i = begin; i < end; i++) {
        clear_field(fields, reading->out, i);
    }
    if (!json_object_begin(reading->reader)) {
        json_skip(reading->reader, NULL);
        return;
    }
    uint32_t hint = begin;
    while (json_object_next(reading->reader, &key)) {
        uint32_t field = find_field(fields, key, begin, end, hint);
        if (field == NO_FIELD) {
            json_skip(reading->reader, NULL);
            continue;
        }
        read_field(reading, field);
        hint = field + 1;
    }
}

bool fields_read(const struct fields *fields, struct json_reader *reader, struct arena *arena,
                 struct fields_row *out)
{
    assert(fields->count + fields->nested_count <= FIELDS_MAX);
    struct reading reading = {fields, reader, arena, out};
    struct slice key;
    out->row.kind = fields->kind;
    out->row.present = 0;
    out->_faulty = 0;
    memset(out->asides, 0, sizeof(out->asides));
    if (!json_object_begin(reader)) {
        json_skip(reader, NULL);
        return false;
    }
    uint32_t hint = 0;
    while (json_object_next(reader, &key)) {
        uint32_t field = find_field(fields, key, 0, fields->count, hint);
        if (field == NO_FIELD) {
            json_skip(reader, NULL);
            continue;
        }
        if (fields->table[field].form == FORM_NESTED) {
            read_nested(&reading);
        } else {
            read_field(&reading, field);
        }
        hint = field + 1;
    }
    return !json_failed(reader);
}

/* What a nested member would have said does not matter where the object speaks for itself. */
static bool is_overruled(const struct fields *fields, const struct fields_row *row, uint32_t field)
{
    uint32_t column = field_at(fields, field)->column;
    return field >= fields->count && row_has(&row->row, column) &&
           row->_owners[column] < fields->count;
}

static uint32_t field_of_column(const struct fields *fields, const struct fields_row *row,
                                uint32_t column)
{
    if (row_has(&row->row, column)) {
        return row->_owners[column];
    }
    for (uint32_t i = 0; i < fields->count; i++) {
        uint8_t form = fields->table[i].form;
        if (fields->table[i].column == column && form != FORM_NESTED && form != FORM_ASIDE) {
            return i;
        }
    }
    assert(false);
    return 0;
}

bool fields_check(const struct fields *fields, const struct fields_row *row, struct arena *arena,
                  struct fault *fault)
{
    for (uint64_t left = row->_faulty; left != 0; left &= left - 1) {
        uint32_t field = (uint32_t)__builtin_ctzll(left);
        if (!is_overruled(fields, row, field)) {
            *fault = row->_faults[field];
            return false;
        }
    }
    struct violation violation;
    if (validate_row(&row->row, arena, &violation)) {
        return true;
    }
    *fault = (struct fault){.reason = violation.reason,
                            .field = field_of_column(fields, row, violation.column),
                            .index = violation.index};
    return false;
}

void fields_fault_path(const struct fields *fields, const struct fault *fault, struct buf *out)
{
    if (fault->field >= fields->count) {
        for (uint32_t i = 0; i < fields->count; i++) {
            if (fields->table[i].form == FORM_NESTED) {
                buf_append_text(out, fields->table[i].key);
                buf_append_char(out, '.');
            }
        }
    }
    buf_append_text(out, field_at(fields, fault->field)->key);
    if (fault->index != FIELDS_NO_INDEX) {
        buf_printf(out, "[%u]", fault->index);
    }
}

void fields_refuse(struct collect *out, uint32_t record, const struct fields *fields,
                   const struct fault *fault)
{
    struct buf path = BUF_EMPTY;
    fields_fault_path(fields, fault, &path);
    collect_refuse(out, record, buf_slice(&path), slice_from(fault->reason));
    buf_finish(&path);
}

bool fields_read_list(struct fields_list *list, struct json_reader *reader, uint32_t max,
                      void (*read)(void *context, uint32_t index), void *context)
{
    *list = (struct fields_list){ABSENT, 0};
    if (json_null(reader)) {
        return true;
    }
    if (!json_array_begin(reader)) {
        list->presence = MALFORMED;
        json_skip(reader, NULL);
        return true;
    }
    list->presence = PRESENT;
    while (json_array_next(reader)) {
        if (list->count == max) {
            return false;
        }
        read(context, list->count++);
    }
    return true;
}

enum err fields_too_many(uint32_t max, struct error *error)
{
    return error_set(error, ERR_TOO_LARGE,
                     "more than %u records in one request (XTRACE_MAX_RECORDS)", max);
}

enum err fields_read_body(const struct fields_body *body, struct json_reader *reader,
                          struct fields_list *list, struct error *error)
{
    struct slice key;
    *list = (struct fields_list){ABSENT, 0};
    enum err err = json_body_begin(reader, error);
    while (err == ERR_OK && json_object_next(reader, &key)) {
        if (!slice_is(key, body->member)) {
            json_skip(reader, NULL);
            continue;
        }
        body->reset(body->context);
        if (!fields_read_list(list, reader, body->max, body->read, body->context)) {
            err = fields_too_many(body->max, error);
        }
    }
    if (err == ERR_OK) {
        err = json_end(reader, error);
    }
    if (err == ERR_OK && list->presence != PRESENT) {
        err = error_set(error, ERR_INVALID, "%s: %s", body->member,
                        list->presence == ABSENT ? "missing" : "not an array");
    }
    return err;
}
