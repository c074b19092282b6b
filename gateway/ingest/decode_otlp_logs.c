#include "gateway/ingest/decode_otlp_logs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/json_write.h"
#include "gateway/ingest/otlp_export.h"
#include "gateway/ingest/validate.h"

enum { INDEX_MAX = 9999 };

struct decoding {
    struct otlp_export export;
    struct slice environment; /* of the resource, normalised */

    /* the record before: those of one span and moment stay in order */
    char last_trace[OTLP_TRACE_ID_SIZE + 1];
    char last_span[OTLP_SPAN_ID_SIZE + 1];
    uint64_t last_ns;
    uint32_t index;
};

static void on_resource(void *context, const struct otlp_resource *resource)
{
    struct decoding *decoding = context;
    struct otlp_span nothing;
    decoding->export.resource_fault = resource->fault;
    otlp_view_resource(&decoding->export.view, resource, &decoding->export.resource_arena);
    memset(&nothing, 0, sizeof(nothing));
    otlp_view_span(&decoding->export.view, &nothing, &decoding->export.resource_arena);
    decoding->environment = otlp_environment(&decoding->export.view);
    decoding->export.view.span = NULL;
}

static void on_scope(void *context, const struct otlp_scope *scope)
{
    struct decoding *decoding = context;
    decoding->export.scope_fault = scope->fault;
    otlp_view_scope(&decoding->export.view, scope, &decoding->export.scope_arena);
}

/* ---- which records count ---- */

static bool is_gen_ai(struct slice name)
{
    static const char prefix[] = "gen_ai.";
    return name.len >= sizeof(prefix) - 1 && memcmp(name.data, prefix, sizeof(prefix) - 1) == 0;
}

/* The field of its own came late; before, it was an attribute. */
static struct slice event_name(const struct otlp_log *log, struct arena *arena)
{
    const struct any *any = attributes_find(&log->attributes, "event.name");
    return log->event_name.len > 0 || any == NULL ? log->event_name : any_text(any, arena);
}

static bool is_of_span(const struct otlp_log *log, struct slice name)
{
    bool found = is_gen_ai(name);
    for (uint32_t i = 0; i < log->attributes.count && !found; i++) {
        found = is_gen_ai(log->attributes.list[i].key);
    }
    return found && log->trace_id[0] != '\0' && log->span_id[0] != '\0';
}

/* ---- what a record says ---- */

/* The record as an event of a span: a body that is a map is what the attributes of an event are; any
 * other body is its content. */
static void make_event(const struct otlp_log *log, struct slice name, struct arena *arena,
                       struct otlp_event *out)
{
    memset(out, 0, sizeof(*out));
    out->name = name;
    out->time_ns = log->time_ns;
    if (log->body.type == ANY_MAP && log->body.count > 0) {
        out->attributes = (struct attributes){.list = log->body.members, .count = log->body.count};
    } else if (!any_is_empty(&log->body)) {
        struct attribute *content = arena_zalloc(arena, sizeof(*content));
        content->key = SLICE_LITERAL("content");
        content->value = log->body;
        out->attributes = (struct attributes){.list = content, .count = 1};
    } else {
        out->attributes = log->attributes;
    }
}

/* True: what it found came from the body, not from the attributes. */
static bool find_payload(struct decoding *decoding, const struct otlp_log *log, struct slice name,
                         enum otlp_payload_part *part, struct otlp_payload *out)
{
    struct otlp_event event;
    make_event(log, name, &decoding->export.item_arena, &event);
    *part = otlp_payload_of_event(&decoding->export.view, &event, out);
    if (*part != PAYLOAD_NONE || any_is_empty(&log->body)) {
        return !any_is_empty(&log->body);
    }
    event.attributes = log->attributes;
    *part = otlp_payload_of_event(&decoding->export.view, &event, out);
    return false;
}

static void write_member(struct buf *out, const char *key, struct slice json)
{
    if (json.len > 0) {
        buf_printf(out, "%s\"%s\":", out->data[out->len - 1] == '{' ? "" : ",", key);
        buf_append_slice(out, json);
    }
}

static void write_text(struct buf *out, const char *key, struct slice text)
{
    if (text.len > 0) {
        write_member(out, key, SLICE_LITERAL(" "));
        out->len--;
        json_write_string(out, text);
    }
}

static void write_number(struct buf *out, const char *key, uint32_t number)
{
    char text[16];
    if (number > 0) {
        snprintf(text, sizeof(text), "%" PRIu32, number);
        write_member(out, key, slice_from(text));
    }
}

/* All but what went to the input or output. */
static void write_attributes(struct buf *out, const struct attributes *attributes)
{
    bool any = false;
    for (uint32_t i = 0; i < attributes->count; i++) {
        const struct attribute *attribute = &attributes->list[i];
        if (attribute->used) {
            continue;
        }
        buf_append_text(out, any ? "," : ",\"attributes\":{");
        json_write_string(out, attribute->key);
        buf_append_char(out, ':');
        any_print(&attribute->value, out);
        any = true;
    }
    buf_append_text(out, any ? "}" : "");
}

static struct slice print_record(struct decoding *decoding, const struct otlp_log *log,
                                 struct slice name, enum otlp_payload_part part,
                                 const struct otlp_payload *payload, bool of_body)
{
    struct buf *out = &decoding->export.view.text;
    bool is_message = part == PAYLOAD_MESSAGE;
    buf_reset(out);
    buf_printf(out, "{\"timeUnixNano\":\"%" PRIu64 "\"", log->time_ns);
    write_text(out, "eventName", name);
    write_number(out, "severityNumber", log->severity);
    write_text(out, "severityText", log->severity_text);
    write_member(out, "input", is_message ? payload->input : (struct slice){NULL, 0});
    write_member(out, "output", is_message ? payload->output : (struct slice){NULL, 0});
    if (!any_is_empty(&log->body) && !(part != PAYLOAD_NONE && of_body)) {
        buf_append_text(out, ",\"body\":");
        any_print(&log->body, out);
    }
    if (!is_message || of_body) {
        write_attributes(out, &log->attributes);
    }
    write_number(out, "droppedAttributesCount", log->dropped_attributes);
    write_member(out, "scope", decoding->export.view.scope_json);
    buf_append_char(out, '}');
    return view_take(&decoding->export.view);
}

/* ---- where it goes ---- */

static uint32_t hash(struct slice text)
{
    uint32_t value = UINT32_C(2166136261);
    for (size_t i = 0; i < text.len; i++) {
        value = (value ^ (uint8_t)text.data[i]) * UINT32_C(16777619);
    }
    return value;
}

/* Records of one span and moment that follow each other are numbered. */
static uint32_t next_index(struct decoding *decoding, const struct otlp_log *log)
{
    bool same = decoding->last_ns == log->time_ns &&
                strcmp(decoding->last_trace, log->trace_id) == 0 &&
                strcmp(decoding->last_span, log->span_id) == 0;
    decoding->index = same && decoding->index < INDEX_MAX ? decoding->index + 1 : 0;
    decoding->last_ns = log->time_ns;
    memcpy(decoding->last_trace, log->trace_id, sizeof(decoding->last_trace));
    memcpy(decoding->last_span, log->span_id, sizeof(decoding->last_span));
    return decoding->index;
}

static struct slice print_metadata(struct decoding *decoding, const struct otlp_log *log,
                                   struct slice record)
{
    struct buf *out = &decoding->export.view.text;
    buf_reset(out);
    buf_printf(out,
               "{\"logRecords\":{\"%020" PRIu64 "-%04" PRIu32 "-%08" PRIx32 "\":", log->time_ns,
               next_index(decoding, log), hash(record));
    buf_append_slice(out, record);
    buf_append_char(out, '}');
    write_member(out, "resourceAttributes", decoding->export.view.resource_json);
    buf_append_char(out, '}');
    return view_take(&decoding->export.view);
}

static void set_slice(struct row *row, uint32_t column, struct slice slice)
{
    if (slice.len > 0) {
        row_set_slice(row, column, slice);
    }
}

static void make_row(struct decoding *decoding, const struct otlp_log *log, struct slice name,
                     struct row *row)
{
    int64_t time_us =
        log->time_ns > 0 ? (int64_t)(log->time_ns / 1000) : decoding->export.input->received_us;
    enum otlp_payload_part part;
    struct otlp_payload payload;
    bool of_body = find_payload(decoding, log, name, &part, &payload);
    struct slice record = print_record(decoding, log, name, part, &payload, of_body);
    row->kind = ROW_OBSERVATION;
    row->version = version_weak(time_us);
    row->present = 0;
    row_set_slice(row, OBSERVATION_TRACE_ID, slice_from(log->trace_id));
    row_set_slice(row, OBSERVATION_ID, slice_from(log->span_id));
    row_set_integer(row, OBSERVATION_START_TIME, time_us);
    set_slice(row, OBSERVATION_ENVIRONMENT, decoding->environment);
    if (part == PAYLOAD_WHOLE) {
        set_slice(row, OBSERVATION_INPUT, payload.input);
        set_slice(row, OBSERVATION_OUTPUT, payload.output);
    }
    row_set_slice(row, OBSERVATION_METADATA, print_metadata(decoding, log, record));
}

static void check_row(struct decoding *decoding, const struct row *row, struct otlp_fault *fault)
{
    struct violation violation;
    if (!validate_row(row, &decoding->export.item_arena, &violation)) {
        otlp_fault_set(fault,
                       violation.column == OBSERVATION_START_TIME
                           ? "timeUnixNano"
                           : row_tables[row->kind].columns[violation.column].name,
                       violation.reason);
    }
}

static void attach(struct decoding *decoding, struct otlp_log *log, struct slice name)
{
    struct row row;
    row.present = 0;
    if (log->fault.reason == NULL) {
        decoding->export.view.arena = &decoding->export.item_arena;
        make_row(decoding, log, name, &row);
        check_row(decoding, &row, &log->fault);
    }
    uint32_t record =
        collect_record(decoding->export.out, "logRecords", decoding->export.item_count,
                       ROW_OBSERVATION, slice_from(log->span_id));
    if (log->fault.reason != NULL) {
        collect_refuse(decoding->export.out, record, slice_from(log->fault.field),
                       slice_from(log->fault.reason));
        return;
    }
    collect_row(decoding->export.out, record, &row);
    bare_traces_note(&decoding->export.traces, record, slice_from(log->trace_id),
                     row.values[OBSERVATION_START_TIME].integer, decoding->environment);
}

static const char *on_log(void *context, struct otlp_log *log)
{
    struct decoding *decoding = context;
    struct otlp_export *export = &decoding->export;
    if (export->item_count == export->input->max_records) {
        return "too many log records in one request (XTRACE_MAX_RECORDS)";
    }
    if (otlp_export_is_too_long(export)) {
        return export->signal->too_long;
    }
    otlp_export_add_faults(export, &log->fault);
    log->time_ns = log->time_ns > 0 ? log->time_ns : log->observed_ns;
    struct slice name = event_name(log, &export->item_arena);
    if (log->fault.reason != NULL || is_of_span(log, name)) {
        attach(decoding, log, name);
    } else {
        export->out->ignored_count++;
    }
    export->item_count++;
    return NULL;
}

/* ---- the two decoders ---- */

static enum err decode(const struct decode_input *input, struct collect *out,
                       enum otlp_encoding encoding, struct error *error)
{
    struct decoding *decoding = memory_zalloc(sizeof(*decoding));
    decoding->export.sink = (struct otlp_sink){
        .context = decoding, .on_resource = on_resource, .on_scope = on_scope, .on_log = on_log};
    enum err err =
        otlp_export_decode(&decoding->export, &otlp_signal_logs, input, out, encoding, error);
    free(decoding);
    return err;
}

enum err decode_otlp_logs_json(const struct decode_input *input, struct collect *out,
                               struct error *error)
{
    return decode(input, out, OTLP_JSON, error);
}

enum err decode_otlp_logs_protobuf(const struct decode_input *input, struct collect *out,
                                   struct error *error)
{
    return decode(input, out, OTLP_PROTOBUF, error);
}
