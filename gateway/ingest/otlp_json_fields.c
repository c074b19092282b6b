#include "gateway/ingest/otlp_json_fields.h"

#include <string.h>

#include "gateway/ingest/otlp_json_value.h"

typedef void (*read_element)(struct otlp_build *build, struct json_reader *reader,
                             const struct otlp_message *message, void *out);

/* An array of what read takes, each of size bytes, onto a list. */
static void read_list(struct otlp_build *build, struct json_reader *reader, read_element read,
                      const struct otlp_message *message, size_t size, void *list)
{
    if (!json_array_begin(reader)) {
        if (!json_null(reader)) {
            json_skip(reader, NULL);
            otlp_build_fail(build, "not an array");
        }
        return;
    }
    while (json_array_next(reader)) {
        if (json_null(reader)) {
            continue;
        }
        if (otlp_build_count(build)) {
            read(build, reader, message, otlp_list_add(list, size, build->arena));
        } else {
            json_skip(reader, NULL);
        }
    }
}

static void read_unsigned(struct otlp_build *build, struct json_reader *reader,
                          const struct otlp_message *message, void *out)
{
    (void)message;
    otlp_json_unsigned(build, reader, out);
}

static void read_double(struct otlp_build *build, struct json_reader *reader,
                        const struct otlp_message *message, void *out)
{
    (void)message;
    otlp_json_double(build, reader, out);
}

static void read_message(struct otlp_build *build, struct json_reader *reader,
                         const struct otlp_message *message, void *out)
{
    if (json_peek(reader) == JSON_OBJECT) {
        otlp_json_message(build, reader, message, out);
    } else {
        json_skip(reader, NULL);
        otlp_build_fail(build, "not an array of objects");
    }
}

static void read_maybe(struct otlp_build *build, struct json_reader *reader,
                       struct otlp_number *out)
{
    if (!json_null(reader)) {
        otlp_json_double(build, reader, &out->value);
        out->sent = true;
    }
}

static void read_raw(struct json_reader *reader, struct slice *out)
{
    if (!json_null(reader)) {
        json_skip(reader, out);
    }
}

static void read_bool(struct json_reader *reader, bool *out)
{
    if (!json_bool(reader, out)) {
        json_skip(reader, NULL);
    }
}

static void read_field(struct otlp_build *build, struct json_reader *reader,
                       const struct otlp_field *field, void *out)
{
    switch (field->form) {
    case OTLP_TEXT:
        otlp_json_text(reader, out);
        break;
    case OTLP_RAW:
        read_raw(reader, out);
        break;
    case OTLP_TRACE_ID:
        otlp_json_id(build, reader, OTLP_TRACE_ID_SIZE / 2, out);
        break;
    case OTLP_SPAN_ID:
        otlp_json_id(build, reader, OTLP_SPAN_ID_SIZE / 2, out);
        break;
    case OTLP_TIME:
        otlp_json_time(build, reader, out);
        break;
    case OTLP_COUNT:
    case OTLP_FLAGS:
        otlp_json_count(reader, out);
        break;
    case OTLP_WORD:
        otlp_json_word(reader, field->words, out);
        break;
    case OTLP_BOOL:
        read_bool(reader, out);
        break;
    case OTLP_ATTRIBUTES:
        otlp_json_attributes(build, reader, out);
        break;
    case OTLP_ANY:
        otlp_json_any(build, reader, out);
        break;
    case OTLP_UNSIGNED:
        otlp_json_unsigned(build, reader, out);
        break;
    case OTLP_SIGNED:
        otlp_json_int32(build, reader, out);
        break;
    case OTLP_DOUBLE:
        otlp_json_double(build, reader, out);
        break;
    case OTLP_MAYBE_DOUBLE:
    case OTLP_MAYBE_INT:
        read_maybe(build, reader, out);
        break;
    case OTLP_FIXED_COUNTS:
    case OTLP_COUNTS:
        read_list(build, reader, read_unsigned, NULL, sizeof(uint64_t), out);
        break;
    case OTLP_DOUBLES:
        read_list(build, reader, read_double, NULL, sizeof(double), out);
        break;
    case OTLP_MESSAGE:
        otlp_json_message(build, reader, field->message, out);
        break;
    case OTLP_MESSAGES:
        read_list(build, reader, read_message, field->message, field->message->size, out);
        break;
    case OTLP_FORM_COUNT:
        break;
    }
}

static const struct otlp_field *find_field(const struct otlp_message *message, struct slice key)
{
    for (uint32_t i = 0; i < message->count; i++) {
        const struct otlp_field *field = &message->fields[i];
        if (field->name.data != NULL && slice_equals(key, field->name)) {
            return field;
        }
    }
    return NULL;
}

/* The reader stands in the object. */
static void read_members(struct otlp_build *build, struct json_reader *reader,
                         const struct otlp_message *message, void *record)
{
    const char *outer = build->field;
    struct slice key;
    while (json_object_next(reader, &key)) {
        const struct otlp_field *field = find_field(message, key);
        if (field == NULL) {
            json_skip(reader, NULL);
            continue;
        }
        build->field = outer != NULL ? outer : field->name.data;
        read_field(build, reader, field, (char *)record + field->offset);
    }
    build->field = outer;
}

void otlp_json_message(struct otlp_build *build, struct json_reader *reader,
                       const struct otlp_message *message, void *record)
{
    if (json_object_begin(reader)) {
        read_members(build, reader, message, record);
    } else if (!json_null(reader)) {
        json_skip(reader, NULL);
        otlp_build_fail(build, "not of the right type");
    }
}

void otlp_json_item(struct arena *arena, struct json_reader *reader,
                    const struct otlp_message *message, void *record, struct otlp_fault *fault)
{
    struct otlp_build build = {arena, fault, NULL, 0, 0};
    memset(record, 0, message->size);
    if (json_object_begin(reader)) {
        read_members(&build, reader, message, record);
    } else {
        json_skip(reader, NULL);
        otlp_build_fail(&build, "not an object");
    }
}
