#include "gateway/ingest/decode_ingestion.h"

#include <stdlib.h>

#include "common/id.h"
#include "common/rfc3339.h"
#include "gateway/ingest/bare_traces.h"
#include "gateway/ingest/ingestion.h"

enum { MILLISECOND_US = 1000, UPDATE_US = 500, POSITION_MAX = 499 };

static const char place[] = "batch";

/* An event's members, in whatever order they came. */
struct envelope {
    struct slice id;
    struct slice type;
    struct slice timestamp;
    struct slice body; /* JSON text; empty: none, or no object */
};

/* An observation whose trace may be named by a later event. */
struct stray {
    struct ingestion_event event;
    struct slice body;
    uint32_t record;
};

/* Says which trace an observation belongs to. */
struct naming {
    struct slice id;
    struct slice trace_id;
};

struct decoding {
    const struct decode_input *input;
    struct collect *out;
    struct json_reader reader;
    struct fields_list batch;
    struct bare_traces traces;
    struct buf strays;  /* struct stray */
    struct buf namings; /* struct naming */
    int64_t last_time_us;
    int64_t position; /* among events of last_time_us */
    struct ingestion work;
};

static void refuse(struct decoding *decoding, uint32_t record, const char *field,
                   const char *reason)
{
    collect_refuse(decoding->out, record, slice_from(field), slice_from(reason));
}

/* ---- versions ---- */

/* Times before 1970 are no clock's. */
static int64_t version_of(struct decoding *decoding, int64_t time_us, bool is_update)
{
    bool follows = decoding->batch.count > 1 && time_us == decoding->last_time_us;
    decoding->position = follows ? decoding->position + 1 : 0;
    decoding->last_time_us = time_us;
    if (time_us < 0) {
        return 0;
    }
    if (time_us % MILLISECOND_US != 0) {
        return time_us;
    }
    return time_us + (is_update ? UPDATE_US : 0) +
           (decoding->position < POSITION_MAX ? decoding->position : POSITION_MAX);
}

/* ---- bodies ---- */

static void note(struct decoding *decoding, uint32_t record)
{
    const struct ingestion *work = &decoding->work;
    const struct row *row = &work->fields_row.row;
    struct slice environment = {NULL, 0};
    struct naming naming = {row->values[OBSERVATION_ID].slice,
                            row->values[OBSERVATION_TRACE_ID].slice};
    buf_append(&decoding->namings, &naming, sizeof(naming));
    if (row_has(row, OBSERVATION_ENVIRONMENT)) {
        environment = row->values[OBSERVATION_ENVIRONMENT].slice;
    }
    int64_t start_us = row_has(row, OBSERVATION_START_TIME)
                           ? row->values[OBSERVATION_START_TIME].integer
                           : work->event.time_us;
    bare_traces_note(&decoding->traces, record, naming.trace_id, start_us, environment);
}

/* work has been read; body is its text, empty where the request's body is the record. */
static void take(struct decoding *decoding, struct slice body, uint32_t record)
{
    struct ingestion *work = &decoding->work;
    struct buf path = BUF_EMPTY;
    const char *reason;
    bool is_event = body.len > 0;
    if (!ingestion_make(work, &path, &reason)) {
        struct buf field = BUF_EMPTY;
        buf_append_text(&field, is_event ? "body." : "");
        buf_append_slice(&field, buf_slice(&path));
        collect_refuse(decoding->out, record, buf_slice(&field), slice_from(reason));
        buf_finish(&field);
    } else if (work->event.type->kind != ROW_OBSERVATION) {
        ingestion_collect(work, decoding->out, record);
    } else if (work->bands[BAND_SAID].values[OBSERVATION_TRACE_ID].slice.len > 0) {
        note(decoding, record);
        ingestion_collect(work, decoding->out, record);
    } else if (is_event) {
        struct stray stray = {work->event, body, record};
        buf_append(&decoding->strays, &stray, sizeof(stray));
    } else {
        ingestion_collect(work, decoding->out, record);
    }
    buf_finish(&path);
}

static bool read_body(struct decoding *decoding, const struct ingestion_event *event,
                      struct slice body)
{
    const struct decode_input *input = decoding->input;
    struct json_reader reader;
    json_reader_init(&reader, (char *)body.data, body.len, input->max_depth, input->scratch);
    json_be_lenient(&reader);
    decoding->work.event = *event;
    return ingestion_read(&decoding->work, &reader);
}

/* ---- events ---- */

/* False: what stands there is no object; it has been passed. */
static bool read_envelope(struct json_reader *reader, struct envelope *envelope)
{
    struct slice key;
    *envelope = (struct envelope){0};
    if (!json_object_begin(reader)) {
        json_skip(reader, NULL);
        return false;
    }
    while (json_object_next(reader, &key)) {
        struct slice *text = slice_is(key, "id")          ? &envelope->id
                             : slice_is(key, "type")      ? &envelope->type
                             : slice_is(key, "timestamp") ? &envelope->timestamp
                                                          : NULL;
        bool is_body = slice_is(key, "body");
        if (text != NULL) {
            *text = (struct slice){NULL, 0};
        }
        if (text != NULL && json_string(reader, text)) {
            continue;
        }
        bool is_object = json_peek(reader) == JSON_OBJECT;
        json_skip(reader, is_body ? &envelope->body : NULL);
        if (is_body && !is_object) {
            envelope->body = (struct slice){NULL, 0};
        }
    }
    (void)json_take_unfit(reader); /* the body is judged when it is read */
    return true;
}

static void take_event(struct decoding *decoding, uint32_t index, const struct envelope *envelope)
{
    const struct ingestion_type *type = ingestion_type_find(envelope->type);
    struct ingestion_event event = {.type = type, .id = envelope->id};
    uint32_t record = collect_record(decoding->out, place, index,
                                     type != NULL ? type->kind : COLLECT_NO_KIND, envelope->id);
    bool is_score = type != NULL && type->kind == ROW_SCORE;
    if (envelope->id.len == 0) {
        refuse(decoding, record, "id", "missing, or not a string");
    } else if (envelope->id.len > COLLECT_ID_MAX) {
        refuse(decoding, record, "id", "longer than 65535 bytes");
    } else if (decoding->input->scores_only && !is_score) {
        collect_refuse_as(decoding->out, record, ERR_UNAUTHORIZED, (struct slice){NULL, 0},
                          SLICE_LITERAL("this key may only create scores"));
    } else if (type == NULL) {
        refuse(decoding, record, "type", "no type of events that is taken here");
    } else if (!rfc3339_parse(envelope->timestamp, &event.time_us)) {
        refuse(decoding, record, "timestamp", "not an RFC 3339 time with an offset");
    } else if (envelope->body.len == 0) {
        refuse(decoding, record, "body", "not an object");
    } else {
        event.version_us = version_of(decoding, event.time_us, type->is_update);
        (void)read_body(decoding, &event, envelope->body);
        take(decoding, envelope->body, record);
    }
}

static void read_event(void *context, uint32_t index)
{
    struct decoding *decoding = context;
    struct envelope envelope;
    bool object = read_envelope(&decoding->reader, &envelope);
    if (json_failed(&decoding->reader)) {
        return;
    }
    if (!object) {
        uint32_t record =
            collect_record(decoding->out, place, index, COLLECT_NO_KIND, (struct slice){NULL, 0});
        refuse(decoding, record, NULL, "not an object");
    } else if (!slice_is(envelope.type, "sdk-log") || decoding->input->scores_only) {
        take_event(decoding, index, &envelope);
    }
}

/* ---- strays ---- */

static int compare_namings(const void *left, const void *right)
{
    const struct naming *a = left;
    const struct naming *b = right;
    int order = slice_compare(a->id, b->id);
    return order != 0 ? order : slice_compare(a->trace_id, b->trace_id);
}

/* The first trace, in bytewise order, that is named for the id; empty: none. */
static struct slice find_trace(const struct naming *namings, size_t count, struct slice id)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (slice_compare(namings[middle].id, id) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < count && slice_equals(namings[low].id, id) ? namings[low].trace_id
                                                            : (struct slice){NULL, 0};
}

/* Whatever names the trace brings the bare one. */
static void collect_strays(struct decoding *decoding)
{
    size_t count = decoding->namings.len / sizeof(struct naming);
    struct naming *namings = (struct naming *)decoding->namings.data;
    const struct stray *strays = (const struct stray *)decoding->strays.data;
    size_t stray_count = decoding->strays.len / sizeof(struct stray);
    if (stray_count > 0 && count > 1) {
        qsort(namings, count, sizeof(*namings), compare_namings);
    }
    for (size_t i = 0; i < stray_count; i++) {
        struct ingestion *work = &decoding->work;
        struct buf path = BUF_EMPTY;
        const char *reason;
        (void)read_body(decoding, &strays[i].event, strays[i].body);
        struct slice trace = find_trace(namings, count, ingestion_id(work));
        row_set_slice(&work->fields_row.row, OBSERVATION_TRACE_ID,
                      trace.len > 0 ? trace : ROW_NO_TRACE);
        if (ingestion_make(work, &path, &reason)) { /* as it did before */
            ingestion_collect(work, decoding->out, strays[i].record);
        }
        buf_finish(&path);
    }
}

/* ---- the body of a request ---- */

static void reset(void *context)
{
    struct decoding *decoding = context;
    collect_reset(decoding->out);
    bare_traces_finish(&decoding->traces);
    bare_traces_init(&decoding->traces, decoding->input->scratch);
    buf_reset(&decoding->strays);
    buf_reset(&decoding->namings);
    decoding->position = 0;
}

static enum err read_batch(struct decoding *decoding, struct error *error)
{
    const struct fields_body body = {place, decoding->input->max_records, reset, read_event,
                                     decoding};
    return fields_read_body(&body, &decoding->reader, &decoding->batch, error);
}

static struct decoding *begin(const struct decode_input *input, struct collect *out)
{
    struct decoding *decoding = memory_zalloc(sizeof(*decoding));
    decoding->input = input;
    decoding->out = out;
    decoding->work.arena = input->scratch;
    json_reader_init(&decoding->reader, input->body, input->len, input->max_depth, input->scratch);
    json_be_lenient(&decoding->reader);
    bare_traces_init(&decoding->traces, input->scratch);
    return decoding;
}

static enum err end(struct decoding *decoding, enum err err)
{
    if (err == ERR_OK) {
        collect_strays(decoding);
        bare_traces_collect(&decoding->traces, decoding->out);
    }
    bare_traces_finish(&decoding->traces);
    buf_finish(&decoding->strays);
    buf_finish(&decoding->namings);
    free(decoding);
    return err;
}

enum err decode_ingestion(const struct decode_input *input, struct collect *out,
                          struct error *error)
{
    struct decoding *decoding = begin(input, out);
    return end(decoding, read_batch(decoding, error));
}

/* ---- one body alone ---- */

/* An event as of now. id: UUID_TEXT_SIZE + 1 bytes, which become the event's own. */
static void begin_now(struct decoding *decoding, const char *type, int64_t version_us, char *id)
{
    uuid_random(id);
    decoding->work.event = (struct ingestion_event){
        .type = ingestion_type_find(slice_from(type)),
        .id = {id, UUID_TEXT_SIZE},
        .time_us = decoding->input->received_us,
        .version_us = version_us,
    };
}

static enum err read_alone(struct decoding *decoding, const char *type, struct error *error)
{
    char id[UUID_TEXT_SIZE + 1];
    struct ingestion *work = &decoding->work;
    begin_now(decoding, type, decoding->input->received_us, id);
    bool object = ingestion_read(work, &decoding->reader);
    enum err err = json_end(&decoding->reader, error);
    if (err != ERR_OK || !object) {
        return err != ERR_OK ? err : error_set(error, ERR_INVALID, "the body is not an object");
    }
    if (work->event.type->kind == ROW_OBSERVATION && !work->event.type->is_update &&
        ingestion_id(work).len == 0) {
        row_set_slice(&work->fields_row.row, OBSERVATION_ID, work->event.id);
    }
    uint32_t record = collect_record(decoding->out, "body", COLLECT_ALONE, work->event.type->kind,
                                     ingestion_id(work));
    take(decoding, (struct slice){NULL, 0}, record);
    return ERR_OK;
}

static enum err decode_alone(const char *type, const struct decode_input *input,
                             struct collect *out, struct error *error)
{
    struct decoding *decoding = begin(input, out);
    return end(decoding, read_alone(decoding, type, error));
}

static void read_score(void *context, uint32_t index)
{
    struct decoding *decoding = context;
    char id[UUID_TEXT_SIZE + 1];
    begin_now(decoding, "score-create", decoding->input->received_us + index, id);
    bool object = ingestion_read(&decoding->work, &decoding->reader);
    if (json_failed(&decoding->reader)) {
        return;
    }
    uint32_t record = collect_record(decoding->out, "scores", index, ROW_SCORE,
                                     object ? ingestion_id(&decoding->work) : (struct slice){0});
    if (object) {
        take(decoding, (struct slice){NULL, 0}, record);
    } else {
        refuse(decoding, record, NULL, "not an object");
    }
}

static enum err read_scores(struct decoding *decoding, struct error *error)
{
    if (json_peek(&decoding->reader) != JSON_ARRAY) {
        return read_alone(decoding, "score-create", error);
    }
    if (!fields_read_list(&decoding->batch, &decoding->reader, decoding->input->max_records,
                          read_score, decoding)) {
        return fields_too_many(decoding->input->max_records, error);
    }
    return json_end(&decoding->reader, error);
}

enum err decode_score(const struct decode_input *input, struct collect *out, struct error *error)
{
    struct decoding *decoding = begin(input, out);
    return end(decoding, read_scores(decoding, error));
}

enum err decode_legacy_trace(const struct decode_input *input, struct collect *out,
                             struct error *error)
{
    return decode_alone("trace-create", input, out, error);
}

enum err decode_legacy_span(const struct decode_input *input, struct collect *out,
                            struct error *error)
{
    return decode_alone("span-create", input, out, error);
}

enum err decode_legacy_span_update(const struct decode_input *input, struct collect *out,
                                   struct error *error)
{
    return decode_alone("span-update", input, out, error);
}

enum err decode_legacy_generation(const struct decode_input *input, struct collect *out,
                                  struct error *error)
{
    return decode_alone("generation-create", input, out, error);
}

enum err decode_legacy_generation_update(const struct decode_input *input, struct collect *out,
                                         struct error *error)
{
    return decode_alone("generation-update", input, out, error);
}

enum err decode_legacy_event(const struct decode_input *input, struct collect *out,
                             struct error *error)
{
    return decode_alone("event-create", input, out, error);
}
