/* decode_ingestion: every type of event and every rule of contract/langfuse.md sections 2.1 to 2.5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "decoded.h"

#include "gateway/ingest/decode_ingestion.h"
#include "gateway/ingest/ingestion.h"

/* 2026-11-20T10:00:00Z */
#define AT_US INT64_C(1795168800000000)
#define AT    "2026-11-20T10:00:00.000Z"

#define EVENT_AT(id, type, at, body)                                                               \
    "{\"id\":\"" id "\",\"type\":\"" type "\",\"timestamp\":\"" at "\",\"body\":" body "}"
#define EVENT(id, type, body) EVENT_AT(id, type, AT, body)
#define BATCH(events)         "{\"batch\":[" events "],\"metadata\":{\"sdk\":[1]}}"
#define ONE(type, body)       BATCH(EVENT("e", type, body))

static void open_text(struct decoded *d, const char *text)
{
    decoded_open_by(d, decode_ingestion, text, strlen(text));
    if (d->err != ERR_OK) {
        print_error("%s: %s\n", text, d->error.text);
    }
    assert_int_equal(d->err, ERR_OK);
}

/* A batch of them; the list ends with NULL. */
static void open_events(struct decoded *d, const char *const *events)
{
    struct buf text = BUF_EMPTY;
    for (size_t i = 0; events[i] != NULL; i++) {
        buf_append_text(&text, i == 0 ? "{\"batch\":[" : ",");
        buf_append_text(&text, events[i]);
    }
    buf_append(&text, "]}", sizeof("]}"));
    open_text(d, text.data);
    buf_finish(&text);
}

static enum ingestion_band band_of(int64_t version)
{
    return version > INT64_MAX / 2    ? BAND_FIRST
           : version > INT64_MIN / 16 ? BAND_SAID
           : version > INT64_MIN / 4  ? BAND_ASSUMED
                                      : BAND_WEAK;
}

static uint32_t id_column(enum row_kind kind)
{
    return kind == ROW_TRACE         ? (uint32_t)TRACE_ID
           : kind == ROW_OBSERVATION ? (uint32_t)OBSERVATION_ID
                                     : (uint32_t)SCORE_ID;
}

/* The first row of that kind, id and band that has the column; NULL: there is none. */
static const struct row *find(const struct decoded *d, enum row_kind kind, const char *id,
                              enum ingestion_band band, uint32_t column)
{
    for (uint32_t i = 0; i < d->collect.row_count; i++) {
        const struct row *row = &d->rows[i];
        if (row->kind == kind && slice_is(row->values[id_column(kind)].slice, id) &&
            band_of(row->version) == band && row_has(row, column)) {
            return row;
        }
    }
    return NULL;
}

static void assert_in(struct decoded *d, enum row_kind kind, const char *id,
                      enum ingestion_band band, uint32_t column, const char *expected)
{
    const struct row *row = find(d, kind, id, band, column);
    const char *value = row != NULL ? decoded_value(d, row, column) : NULL;
    const char *name = row_tables[kind].columns[column].name;
    if (expected == NULL ? value != NULL : value == NULL || strcmp(value, expected) != 0) {
        fail_msg("%s of %s in band %d: %s, not %s", name, id, band, value != NULL ? value : "none",
                 expected != NULL ? expected : "none");
    }
}

static void assert_said(struct decoded *d, const char *id, uint32_t column, const char *expected)
{
    assert_in(d, ROW_OBSERVATION, id, BAND_SAID, column, expected);
}

static void assert_refused(const char *text, const char *expected)
{
    struct decoded d;
    open_text(&d, text);
    const char *refusal = decoded_refusal(&d, 0);
    if (refusal == NULL || strcmp(refusal, expected) != 0) {
        fail_msg("%s: %s, not %s", text, refusal != NULL ? refusal : "taken", expected);
    }
    assert_int_equal(d.collect.refused_count, 1);
    assert_int_equal(d.collect.row_count, 0);
    decoded_close(&d);
}

static void assert_taken(const char *text)
{
    struct decoded d;
    open_text(&d, text);
    const char *refusal = decoded_refusal(&d, 0);
    if (refusal != NULL) {
        fail_msg("%s: %s", text, refusal);
    }
    assert_int_equal(d.collect.record_count, 1);
    decoded_close(&d);
}

/* ---- the envelope ---- */

static void an_empty_batch_is_fine(void **state)
{
    static const char *const texts[] = {
        "{\"batch\":[]}",
        " { \"metadata\" : null , \"batch\" : [ ] } ",
        BATCH("{\"type\":\"sdk-log\",\"id\":\"x\",\"timestamp\":\"" AT "\",\"body\":{\"log\":1}}"),
        BATCH("{\"type\":\"sdk-log\"}"),
        "{\"batch\":[{}],\"batch\":[]}", /* the last of a repeated key */
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct decoded d;
        open_text(&d, texts[i]);
        assert_int_equal(d.collect.record_count, 0);
        assert_int_equal(d.collect.row_count, 0);
        decoded_close(&d);
    }
}

static void other_bodies_are_refused_whole(void **state)
{
    static const char *const texts[][2] = {
        {"", "invalid JSON at byte 0: expected a value"},
        {"[]", "the body is not an object"},
        {"null", "the body is not an object"},
        {"{}", "batch: missing"},
        {"{\"batch\":null}", "batch: missing"},
        {"{\"batch\":{}}", "batch: not an array"},
        {"{\"batch\":\"x\"}", "batch: not an array"},
        {"{\"batch\":[]} 1", "invalid JSON at byte 13: text after the value"},
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct decoded d;
        decoded_open_by(&d, decode_ingestion, texts[i][0], strlen(texts[i][0]));
        assert_int_equal(d.err, ERR_INVALID);
        assert_string_equal(d.error.text, texts[i][1]);
        decoded_close(&d);
    }
}

static void a_bad_event_is_named_and_harms_no_other(void **state)
{
    static const char *const events[] = {
        "7",
        "{}",
        EVENT("e2", "trace-create", "{\"id\":\"t\",\"name\":\"n\"}"),
        "{\"id\":9,\"type\":\"trace-create\",\"timestamp\":\"" AT "\",\"body\":{}}",
        EVENT("e4", "trace-create", "{\"name\":{\"deep\":[{}]}}"),
        NULL,
    };
    struct decoded d;
    open_events(&d, events);
    assert_int_equal(d.collect.record_count, 5);
    assert_int_equal(d.collect.refused_count, 4);
    assert_string_equal(decoded_refusal(&d, 0), "batch[0]: not an object");
    assert_string_equal(decoded_refusal(&d, 1), "batch[1].id: missing, or not a string");
    assert_string_equal(decoded_refusal(&d, 2), "batch[3].id: missing, or not a string");
    assert_string_equal(decoded_refusal(&d, 3), "batch[4].body.name: not a string");
    assert_true(slice_is(collect_refusal(&d.collect, 3).id, "e4"));
    assert_int_equal(collect_refusal(&d.collect, 0).id.len, 0);
    assert_true(slice_is(collect_record_id(&d.collect, 2), "e2"));
    assert_false(collect_is_refused(&d.collect, 2));
    assert_in(&d, ROW_TRACE, "t", BAND_SAID, TRACE_NAME, "n");
    decoded_close(&d);
}

#define DEEP "[[[[[[[[[[[[[[[[[{\"a\":1}]]]]]]]]]]]]]]]]]" /* deeper than DECODED_DEPTH_MAX */

static void a_value_beyond_its_bound_harms_its_event_only(void **state)
{
    static const char *const events[] = {
        EVENT("e0", "trace-create", "{\"id\":\"t\",\"name\":\"n\",\"unknown\":" DEEP "}"),
        EVENT("e1", "trace-create", "{\"input\":{\"a\":" DEEP "}}"),
        "{\"body\":{\"usageDetails\":{\"input\":1e2000},\"id\":\"o\"},\"metadata\":" DEEP
        ",\"id\":\"e2\",\"type\":\"generation-create\",\"timestamp\":\"" AT "\"}",
        EVENT("e3", "score-create", "{\"name\":\"n\",\"traceId\":\"t\",\"value\":" DEEP "}"),
        NULL,
    };
    struct decoded d;
    open_events(&d, events);
    assert_int_equal(d.collect.record_count, 4);
    assert_int_equal(d.collect.refused_count, 3);
    assert_string_equal(decoded_refusal(&d, 0), "batch[1].body.input: nested too deeply");
    assert_string_equal(decoded_refusal(&d, 1),
                        "batch[2].body.usageDetails: exponent out of range");
    assert_string_equal(decoded_refusal(&d, 2), "batch[3].body.value: nested too deeply");
    assert_true(slice_is(collect_refusal(&d.collect, 1).id, "e2"));
    assert_in(&d, ROW_TRACE, "t", BAND_SAID, TRACE_NAME, "n");
    decoded_close(&d);
}

static void what_an_event_must_have(void **state)
{
    assert_refused(
        BATCH("{\"id\":\"\",\"type\":\"trace-create\",\"timestamp\":\"" AT "\",\"body\":{}}"),
        "batch[0].id: missing, or not a string");
    assert_refused(ONE("trace-update", "{}"),
                   "batch[0].type: no type of events that is taken here");
    assert_refused(ONE("dataset-run-item-create", "{}"),
                   "batch[0].type: no type of events that is taken here");
    assert_refused(BATCH("{\"id\":\"e\",\"timestamp\":\"" AT "\",\"body\":{}}"),
                   "batch[0].type: no type of events that is taken here");
    assert_refused(BATCH("{\"id\":\"e\",\"type\":\"trace-create\",\"body\":{}}"),
                   "batch[0].timestamp: not an RFC 3339 time with an offset");
    assert_refused(BATCH(EVENT_AT("e", "trace-create", "2026-11-20", "{}")),
                   "batch[0].timestamp: not an RFC 3339 time with an offset");
    assert_refused(BATCH("{\"id\":\"e\",\"type\":\"trace-create\",\"timestamp\":5,\"body\":{}}"),
                   "batch[0].timestamp: not an RFC 3339 time with an offset");
    assert_refused(ONE("trace-create", "null"), "batch[0].body: not an object");
    assert_refused(ONE("trace-create", "[{}]"), "batch[0].body: not an object");
    assert_refused(BATCH("{\"id\":\"e\",\"type\":\"trace-create\",\"timestamp\":\"" AT "\"}"),
                   "batch[0].body: not an object");
}

static void members_of_an_event_come_in_any_order(void **state)
{
    struct decoded d;
    open_text(&d,
              BATCH("{\"body\":{\"name\":\"n\",\"id\":\"t\"},\"metadata\":{\"body\":1},"
                    "\"timestamp\":\"" AT "\",\"x\":[],\"id\":\"e\",\"type\":\"trace-create\"}"));
    assert_in(&d, ROW_TRACE, "t", BAND_SAID, TRACE_NAME, "n");
    decoded_close(&d);
}

static enum err decode_as_browser(const struct decode_input *input, struct collect *out,
                                  struct error *error)
{
    struct decode_input public = *input;
    public.scores_only = true;
    return decode_ingestion(&public, out, error);
}

static void a_public_key_creates_scores_alone(void **state)
{
    static const char text[] =
        "{\"batch\":[" EVENT("a", "trace-create", "{\"id\":\"t\"}") "," EVENT(
            "b", "score-create",
            "{\"name\":\"n\",\"value\":1,\"traceId\":\"t\"}") "," EVENT("c", "sdk-log",
                                                                        "{}") "," EVENT("d",
                                                                                        "whatever",
                                                                                        "{}") "]}";
    struct decoded d;
    decoded_open_by(&d, decode_as_browser, text, strlen(text));
    assert_int_equal(d.err, ERR_OK);
    assert_int_equal(d.collect.record_count, 4);
    assert_int_equal(d.collect.refused_count, 3);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(collect_refusal(&d.collect, i).err, ERR_UNAUTHORIZED);
    }
    assert_false(collect_is_refused(&d.collect, 1));
    decoded_close(&d);
}

/* ---- types ---- */

static void every_type_makes_its_observation(void **state)
{
    static const char *const types[][2] = {
        {"span-create", "SPAN"},
        {"span-update", "SPAN"},
        {"generation-create", "GENERATION"},
        {"generation-update", "GENERATION"},
        {"event-create", "EVENT"},
        {"agent-create", "AGENT"},
        {"tool-create", "TOOL"},
        {"chain-create", "CHAIN"},
        {"retriever-create", "RETRIEVER"},
        {"evaluator-create", "EVALUATOR"},
        {"embedding-create", "EMBEDDING"},
        {"guardrail-create", "GUARDRAIL"},
    };
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        struct decoded d;
        char text[512];
        snprintf(text, sizeof(text),
                 BATCH("{\"id\":\"e\",\"type\":\"%s\",\"timestamp\":\"" AT "\",\"body\":"
                       "{\"id\":\"o\",\"traceId\":\"t\",\"type\":\"ignored\",\"model\":\"m\","
                       "\"endTime\":\"2026-11-20T10:00:09Z\"}}"),
                 types[i][0]);
        open_text(&d, text);
        assert_said(&d, "o", OBSERVATION_TYPE, types[i][1]);
        bool is_event = strcmp(types[i][1], "EVENT") == 0;
        bool is_span = strcmp(types[i][1], "SPAN") == 0;
        assert_said(&d, "o", OBSERVATION_MODEL, is_event || is_span ? NULL : "m");
        assert_said(&d, "o", OBSERVATION_END_TIME, is_event ? NULL : "1795168809000000");
        decoded_close(&d);
    }
}

static void legacy_observations_say_their_type(void **state)
{
    static const char *const events[] = {
        EVENT("e", "observation-create",
              "{\"id\":\"o\",\"traceId\":\"t\",\"type\":\"GENERATION\",\"model\":\"m\","
              "\"environment\":\"x\"}"),
        EVENT("f", "observation-update", "{\"traceId\":\"t\",\"type\":\"SPAN\"}"),
        NULL,
    };
    struct decoded d;
    open_events(&d, events);
    assert_int_equal(d.collect.refused_count, 0);
    assert_said(&d, "o", OBSERVATION_TYPE, "GENERATION");
    assert_said(&d, "o", OBSERVATION_MODEL, "m");
    assert_in(&d, ROW_OBSERVATION, "o", BAND_FIRST, OBSERVATION_ENVIRONMENT, NULL);
    decoded_close(&d);
    assert_refused(ONE("observation-create", "{\"id\":\"o\",\"traceId\":\"t\",\"type\":\"AGENT\"}"),
                   "batch[0].body.type: not GENERATION, SPAN or EVENT");
    assert_refused(ONE("observation-update", "{\"id\":\"o\",\"traceId\":\"t\"}"),
                   "batch[0].body.type: not GENERATION, SPAN or EVENT");
}

/* ---- ids ---- */

static void ids_are_kept_to_the_byte(void **state)
{
    struct decoded d;
    open_text(&d, ONE("span-create", "{\"id\":\"0A6F9619-FF8B-4011-B42D-00C04FC964FF\","
                                     "\"traceId\":\"order #42/\\u00fcn\xc3\xaf?x=1&cap\"}"));
    assert_said(&d, "0A6F9619-FF8B-4011-B42D-00C04FC964FF", OBSERVATION_TRACE_ID,
                "order #42/\xc3\xbcn\xc3\xaf?x=1&cap");
    decoded_close(&d);
    assert_refused(ONE("span-create", "{\"traceId\":\"t\"}"), "batch[0].body.id: missing");
    assert_refused(ONE("span-create", "{\"id\":\"\",\"traceId\":\"t\"}"),
                   "batch[0].body.id: missing");
    assert_refused(ONE("span-create", "{\"id\":7,\"traceId\":\"t\"}"),
                   "batch[0].body.id: not a string");
    assert_refused(ONE("span-create", "{\"id\":\"a\\rb\",\"traceId\":\"t\"}"),
                   "batch[0].body.id: holds a carriage return");
    assert_taken(
        ONE("span-create", "{\"id\":\"o\",\"traceId\":\"t\",\"parentObservationId\":\"\"}"));
}

static void an_id_is_made_of_the_events(void **state)
{
    struct decoded first;
    struct decoded second;
    open_text(&first, ONE("trace-create", "{\"name\":\"n\"}"));
    open_text(&second, ONE("trace-create", "{\"name\":\"n\",\"id\":null}"));
    assert_true(
        slice_equals(first.rows[0].values[TRACE_ID].slice, second.rows[0].values[TRACE_ID].slice));
    assert_int_equal(first.rows[0].values[TRACE_ID].slice.len, UUID_TEXT_SIZE);
    decoded_close(&second);
    open_text(&second, BATCH(EVENT("other", "trace-create", "{\"name\":\"n\"}")));
    assert_false(
        slice_equals(first.rows[0].values[TRACE_ID].slice, second.rows[0].values[TRACE_ID].slice));
    decoded_close(&second);
    decoded_close(&first);
}

static void an_observation_without_a_trace_gets_what_others_name(void **state)
{
    static const char *const events[] = {
        EVENT("1", "span-update", "{\"id\":\"o\",\"output\":1}"),
        EVENT("2", "span-create", "{\"id\":\"o\",\"traceId\":\"t\"}"),
        EVENT("3", "span-update", "{\"id\":\"o\",\"statusMessage\":\"s\",\"traceId\":\"\"}"),
        EVENT("4", "span-update", "{\"id\":\"p\",\"input\":2}"),
        NULL,
    };
    struct decoded d;
    uint32_t traces = 0;
    open_events(&d, events);
    for (uint32_t i = 0; i < d.collect.row_count; i++) {
        const struct row *row = &d.rows[i];
        traces += row->kind == ROW_TRACE;
        if (row->kind == ROW_OBSERVATION) {
            bool is_p = slice_is(row->values[OBSERVATION_ID].slice, "p");
            assert_true(slice_is(row->values[OBSERVATION_TRACE_ID].slice, is_p ? "" : "t"));
        }
    }
    assert_int_equal(traces, 1); /* the bare one of t: that of p is the writer's */
    assert_said(&d, "o", OBSERVATION_OUTPUT, "1");
    assert_said(&d, "o", OBSERVATION_STATUS_MESSAGE, "s");
    decoded_close(&d);
}

/* ---- bands ---- */

static void a_trace_in_bands(void **state)
{
    struct decoded d;
    open_text(&d, ONE("trace-create",
                      "{\"id\":\"t\",\"timestamp\":\"2026-11-20T09:00:00+02:00\",\"name\":\"n\","
                      "\"userId\":\"u\",\"sessionId\":\"s\",\"release\":\"r\",\"version\":\"v\","
                      "\"environment\":\"Langfuse-Prod\",\"externalId\":\"x\",\"public\":true,"
                      "\"tags\":[\"b\",\"a\"],\"input\":{\"a\":1},\"output\":\"\",\"metadata\":[1],"
                      "\"bookmarked\":true,\"unknown\":{}}"));
    assert_in(&d, ROW_TRACE, "t", BAND_FIRST, TRACE_TIMESTAMP, "1795158000000000");
    assert_in(&d, ROW_TRACE, "t", BAND_FIRST, TRACE_ENVIRONMENT, "prod");
    static const struct {
        uint32_t column;
        const char *value;
    } said[] = {
        {TRACE_NAME, "n"},
        {TRACE_USER_ID, "u"},
        {TRACE_SESSION_ID, "s"},
        {TRACE_RELEASE, "r"},
        {TRACE_VERSION, "v"},
        {TRACE_EXTERNAL_ID, "x"},
        {TRACE_PUBLIC, "1"},
        {TRACE_INPUT, "{\"a\":1}"},
        {TRACE_TAGS_ADDED, "[\"b\",\"a\"]"},
        {TRACE_TAGS, NULL},
        {TRACE_OUTPUT, NULL},
        {TRACE_METADATA, "{\"metadata\":[1]}"},
        {TRACE_BOOKMARKED, NULL},
    };
    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
        assert_in(&d, ROW_TRACE, "t", BAND_SAID, said[i].column, said[i].value);
    }
    assert_in(&d, ROW_TRACE, "t", BAND_WEAK, TRACE_OUTPUT, "\"\"");
    assert_in(&d, ROW_TRACE, "t", BAND_ASSUMED, TRACE_TIMESTAMP, NULL);
    decoded_close(&d);
}

static void missing_times_are_the_events(void **state)
{
    static const char *const events[] = {
        EVENT("1", "trace-create", "{\"id\":\"t\",\"timestamp\":null}"),
        EVENT("2", "span-update", "{\"id\":\"o\",\"traceId\":\"u\",\"startTime\":null}"),
        NULL,
    };
    struct decoded d;
    open_events(&d, events);
    assert_in(&d, ROW_TRACE, "t", BAND_ASSUMED, TRACE_TIMESTAMP, "1795168800000000");
    assert_in(&d, ROW_OBSERVATION, "o", BAND_ASSUMED, OBSERVATION_START_TIME, "1795168800000000");
    assert_in(&d, ROW_OBSERVATION, "o", BAND_FIRST, OBSERVATION_START_TIME, NULL);
    /* The bare trace of an observation is the weakest. */
    assert_in(&d, ROW_TRACE, "u", BAND_WEAK, TRACE_TIMESTAMP, "1795168800000000");
    decoded_close(&d);
}

static void null_is_as_good_as_absent(void **state)
{
    struct decoded d;
    open_text(&d, ONE("generation-update",
                      "{\"id\":\"o\",\"traceId\":\"t\",\"parentObservationId\":null,\"name\":null,"
                      "\"startTime\":null,\"endTime\":null,\"completionStartTime\":null,"
                      "\"model\":null,\"modelParameters\":null,\"input\":null,\"output\":null,"
                      "\"usage\":null,\"usageDetails\":null,\"costDetails\":null,\"level\":null,"
                      "\"statusMessage\":null,\"version\":null,\"metadata\":null,"
                      "\"environment\":null,\"promptName\":null,\"promptVersion\":null}"));
    assert_int_equal(d.collect.refused_count, 0);
    uint64_t keys = UINT64_C(1) << OBSERVATION_TRACE_ID | UINT64_C(1) << OBSERVATION_ID;
    const struct row *said = find(&d, ROW_OBSERVATION, "o", BAND_SAID, OBSERVATION_ID);
    assert_true(said->present == (keys | UINT64_C(1) << OBSERVATION_TYPE));
    assert_null(find(&d, ROW_OBSERVATION, "o", BAND_FIRST, OBSERVATION_ID));
    decoded_close(&d);
}

static void falsy_payloads_are_weak(void **state)
{
    static const char *const falsy[] = {"\"\"", "0", "-0", "0.0", "0e5", "false"};
    static const char *const truthy[] = {"\"0\"", "[]", "{}", "1", "true", "\" \""};
    for (size_t i = 0; i < sizeof(falsy) / sizeof(falsy[0]); i++) {
        struct decoded d;
        char text[400];
        snprintf(text, sizeof(text),
                 ONE("span-create", "{\"id\":\"o\",\"traceId\":\"t\",\"input\":%s,\"output\":%s}"),
                 falsy[i], truthy[i]);
        open_text(&d, text);
        assert_in(&d, ROW_OBSERVATION, "o", BAND_WEAK, OBSERVATION_INPUT, falsy[i]);
        assert_said(&d, "o", OBSERVATION_INPUT, NULL);
        assert_said(&d, "o", OBSERVATION_OUTPUT, truthy[i]);
        decoded_close(&d);
    }
}

/* ---- versions ---- */

static int64_t version_of(const struct decoded *d, const char *id)
{
    const struct row *row = find(d, ROW_OBSERVATION, id, BAND_SAID, OBSERVATION_ID);
    assert_non_null(row);
    return row->version;
}

static void events_of_one_millisecond_are_told_apart(void **state)
{
    static const char *const events[] = {
        EVENT("1", "span-update", "{\"id\":\"a\",\"traceId\":\"t\"}"),
        EVENT("2", "span-create", "{\"id\":\"b\",\"traceId\":\"t\"}"),
        EVENT("3", "generation-update", "{\"id\":\"c\",\"traceId\":\"t\"}"),
        EVENT_AT("4", "span-create", "2026-11-20T10:00:00.001Z",
                 "{\"id\":\"d\",\"traceId\":\"t\"}"),
        EVENT("5", "span-create", "{\"id\":\"e\",\"traceId\":\"t\"}"),
        EVENT_AT("6", "span-update", "2026-11-20T10:00:00.000007Z",
                 "{\"id\":\"f\",\"traceId\":\"t\"}"),
        NULL,
    };
    struct decoded d;
    open_events(&d, events);
    assert_int_equal(version_of(&d, "a"), AT_US + 500);
    assert_int_equal(version_of(&d, "b"), AT_US + 1);
    assert_int_equal(version_of(&d, "c"), AT_US + 502);
    assert_int_equal(version_of(&d, "d"), AT_US + 1000);
    assert_int_equal(version_of(&d, "e"), AT_US);
    assert_int_equal(version_of(&d, "f"), AT_US + 7);
    decoded_close(&d);
}

static void times_before_any_clock_are_taken(void **state)
{
    static const char *const events[] = {
        EVENT_AT("1", "span-create", "0001-01-01T00:00:00Z", "{\"id\":\"a\",\"traceId\":\"t\"}"),
        EVENT_AT("2", "span-create", "9999-12-31T23:59:59.999Z",
                 "{\"id\":\"b\",\"traceId\":\"t\"}"),
        NULL,
    };
    struct decoded d;
    open_events(&d, events);
    assert_int_equal(d.collect.refused_count, 0);
    assert_int_equal(version_of(&d, "a"), 0);
    decoded_close(&d);
}

/* ---- strictness ---- */

static void what_a_body_may_get_wrong(void **state)
{
    static const char *const cases[][3] = {
        {"span-create", "\"level\":\"default\"", "level: not DEBUG, DEFAULT, WARNING or ERROR"},
        {"span-create", "\"level\":1", "level: not a string"},
        {"span-create", "\"startTime\":\"2026-11-20\"",
         "startTime: not an RFC 3339 time with an offset"},
        {"span-create", "\"endTime\":1795168800", "endTime: not an RFC 3339 time with an offset"},
        {"span-create", "\"name\":[]", "name: not a string"},
        {"generation-create", "\"modelParameters\":[1]", "modelParameters: not an object"},
        {"generation-create", "\"promptName\":\"p\"",
         "promptName: promptName and promptVersion: both or neither"},
        {"generation-create", "\"promptVersion\":2",
         "promptName: promptName and promptVersion: both or neither"},
        {"generation-create", "\"promptName\":\"p\",\"promptVersion\":\"x\"",
         "promptVersion: not a whole number"},
        {"generation-create", "\"promptName\":\"p\",\"promptVersion\":1.5",
         "promptVersion: not a string or a whole number"},
        {"generation-create", "\"usage\":{\"input\":1.5}", "usage: a count is not a whole number"},
        {"generation-create", "\"usage\":{\"promptTokens\":\"1\"}",
         "usage: a count is not a number"},
        {"generation-create", "\"usage\":{\"inputCost\":\"1\"}", "usage: a cost is not a number"},
        {"generation-create", "\"usage\":7", "usage: not an object"},
        {"generation-create", "\"usage\":{\"unit\":\"MILES\"}",
         "usage: unit: not TOKENS, CHARACTERS, MILLISECONDS, SECONDS, IMAGES or REQUESTS"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[400];
        char expected[200];
        snprintf(text, sizeof(text),
                 BATCH("{\"id\":\"e\",\"type\":\"%s\",\"timestamp\":\"" AT "\",\"body\":"
                       "{\"id\":\"o\",\"traceId\":\"t\",%s}}"),
                 cases[i][0], cases[i][1]);
        snprintf(expected, sizeof(expected), "batch[0].body.%s", cases[i][2]);
        assert_refused(text, expected);
    }
}

static void what_a_body_may_say(void **state)
{
    static const char *const members[] = {
        "\"level\":\"WARNING\"",
        "\"startTime\":\"2026-11-20T10:00:00.123456+05:30\"",
        "\"modelParameters\":{\"a\":null,\"b\":[\"x\"],\"c\":{\"d\":\"e\"},\"f\":1.5,\"g\":true}",
        "\"promptName\":\"p\",\"promptVersion\":3",
        "\"usage\":{}",
        "\"usage\":{\"input\":null,\"unit\":null,\"totalCost\":null,\"x\":[1]}",
        "\"usageDetails\":[1],\"costDetails\":\"x\"",
        "\"usage\":{\"input\":1.5},\"usage\":null", /* the last counts */
        "\"usage\":7,\"usage\":{\"input\":1}",
        "\"environment\":42",
        "\"environment\":[\"x\"]",
        "\"metadata\":\"text\"",
    };
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        char text[400];
        snprintf(text, sizeof(text),
                 ONE("generation-create", "{\"id\":\"o\",\"traceId\":\"t\",%s}"), members[i]);
        assert_taken(text);
    }
}

static void names_of_traces_have_a_length(void **state)
{
    char name[2101];
    char text[2400];
    for (int i = 0; i < 1000; i++) {
        memcpy(name + (size_t)2 * (size_t)i, "\xc3\xbc", 2);
    }
    name[2000] = '\0';
    snprintf(text, sizeof(text), ONE("trace-create", "{\"id\":\"t\",\"name\":\"%s\"}"), name);
    assert_taken(text);
    snprintf(text, sizeof(text), ONE("trace-create", "{\"id\":\"t\",\"name\":\"%sx\"}"), name);
    assert_refused(text, "batch[0].body.name: longer than 1000 characters");
}

static void environments_are_never_refused(void **state)
{
    static const char *const cases[][2] = {
        {"\"Staging-EU\"", "staging-eu"}, {"\"langfuse_LANGFUSE-x\"", "x"},
        {"\"langfuse\"", "default"},      {"\"\"", "default"},
        {"\"a b\"", "default"},           {"7", "default"},
        {"{\"a\":[]}", "default"},        {"null", NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct decoded d;
        char text[400];
        snprintf(text, sizeof(text), ONE("trace-create", "{\"id\":\"t\",\"environment\":%s}"),
                 cases[i][0]);
        open_text(&d, text);
        assert_in(&d, ROW_TRACE, "t", BAND_FIRST, TRACE_ENVIRONMENT, cases[i][1]);
        decoded_close(&d);
    }
}

static void an_end_is_not_before_its_start(void **state)
{
    struct decoded d;
    open_text(&d, ONE("span-create", "{\"id\":\"o\",\"traceId\":\"t\",\"startTime\":\"" AT
                                     "\",\"endTime\":\"2026-11-20T09:59:59Z\"}"));
    assert_said(&d, "o", OBSERVATION_END_TIME, "1795168800000000");
    decoded_close(&d);
}

/* ---- usage and cost ---- */

static void forms_of_usage(void **state)
{
    static const struct {
        const char *members;
        const char *usage; /* NULL: none, and the empty map is assumed */
        const char *costs;
        const char *sums; /* input, output, total */
        const char *unit;
    } cases[] = {
        {"\"x\":1", NULL, NULL, NULL, NULL},
        {"\"usage\":{},\"usageDetails\":{},\"costDetails\":{}", NULL, NULL, NULL, NULL},
        {"\"usage\":{\"input\":3,\"output\":4,\"unit\":\"CHARACTERS\"}",
         "{\"input\":3,\"output\":4,\"total\":7}", NULL, "3 4 7", "CHARACTERS"},
        {"\"usage\":{\"input\":3.0}", "{\"input\":3,\"total\":3}", NULL, "3 0 3", NULL},
        {"\"usage\":{\"output\":4}", "{\"output\":4,\"total\":4}", NULL, "0 4 4", NULL},
        {"\"usage\":{\"input\":3,\"output\":4,\"total\":9}",
         "{\"input\":3,\"output\":4,\"total\":9}", NULL, "3 4 9", NULL},
        {"\"usage\":{\"total\":9}", "{\"total\":9}", NULL, "0 0 9", NULL},
        {"\"usage\":{\"promptTokens\":120,\"completionTokens\":30,\"totalTokens\":150}",
         "{\"input\":120,\"output\":30,\"total\":150}", NULL, "120 30 150", "TOKENS"},
        {"\"usage\":{\"input\":1,\"inputCost\":0.5,\"outputCost\":0,\"totalCost\":0.5}",
         "{\"input\":1,\"total\":1}", "{\"input\":0.5,\"output\":0,\"total\":0.5}", "1 0 1", NULL},
        {"\"usage\":{\"inputTokens\":1,\"outputTokens\":2,\"total_cost\":3}",
         "{\"input\":1,\"output\":2,\"total\":3}", "{\"total\":3}", "1 2 3", "TOKENS"},
        {"\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2,\"total_tokens\":7,"
         "\"prompt_tokens_details\":{\"cached_tokens\":4}}",
         "{\"input\":1,\"output\":2,\"total\":7,\"input_cached_tokens\":4}", NULL, "5 2 7",
         "TOKENS"},
        {"\"usageDetails\":{\"prompt_tokens\":200,\"completion_tokens\":50,\"total_tokens\":250,"
         "\"prompt_tokens_details\":{\"cached_tokens\":64,\"audio_tokens\":0},"
         "\"completion_tokens_details\":{\"reasoning_tokens\":10,\"x\":null}}",
         "{\"input\":136,\"output\":40,\"total\":250,\"input_cached_tokens\":64,"
         "\"input_audio_tokens\":0,\"output_reasoning_tokens\":10}",
         NULL, "200 50 250", NULL},
        {"\"usageDetails\":{\"input\":100,\"output\":20,\"cache_read_input_tokens\":40}",
         "{\"input\":100,\"output\":20,\"cache_read_input_tokens\":40,\"total\":160}", NULL,
         "140 20 160", NULL},
        {"\"usageDetails\":{\"a\":\"7\",\"b\":1.5,\"c\":-1,\"d\":{},\"e\":null}",
         "{\"a\":7,\"total\":7}", NULL, "0 0 7", NULL},
        /* usageDetails over usage, key by key. */
        {"\"usage\":{\"input\":1,\"output\":2},\"usageDetails\":{\"output\":5,\"cached\":3}",
         "{\"input\":1,\"output\":5,\"total\":3,\"cached\":3}", NULL, "1 5 3", NULL},
        {"\"costDetails\":{\"input\":0.0003,\"output\":0.0003}", NULL,
         "{\"input\":0.0003,\"output\":0.0003,\"total\":0.0006}", NULL, NULL},
        {"\"costDetails\":{\"input\":0,\"output\":0,\"total\":0}", NULL,
         "{\"input\":0,\"output\":0,\"total\":0}", NULL, NULL},
        {"\"costDetails\":{\"x\":1,\"y\":-1,\"z\":\"1\"}", NULL, "{\"x\":1}", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct decoded d;
        char text[600];
        char sums[100];
        snprintf(text, sizeof(text),
                 ONE("generation-create", "{\"id\":\"o\",\"traceId\":\"t\",%s}"), cases[i].members);
        open_text(&d, text);
        assert_said(&d, "o", OBSERVATION_USAGE_DETAILS, cases[i].usage);
        assert_in(&d, ROW_OBSERVATION, "o", BAND_ASSUMED, OBSERVATION_USAGE_DETAILS,
                  cases[i].usage == NULL ? "{}" : NULL);
        assert_said(&d, "o", OBSERVATION_COST_DETAILS, cases[i].costs);
        assert_said(&d, "o", OBSERVATION_UNIT, cases[i].unit);
        const struct row *row = find(&d, ROW_OBSERVATION, "o", BAND_SAID, OBSERVATION_ID);
        snprintf(sums, sizeof(sums), "%s %s %s",
                 row_has(row, OBSERVATION_PROMPT_TOKENS)
                     ? decoded_value(&d, row, OBSERVATION_PROMPT_TOKENS)
                     : "",
                 row_has(row, OBSERVATION_COMPLETION_TOKENS)
                     ? decoded_value(&d, row, OBSERVATION_COMPLETION_TOKENS)
                     : "",
                 row_has(row, OBSERVATION_TOTAL_TOKENS)
                     ? decoded_value(&d, row, OBSERVATION_TOTAL_TOKENS)
                     : "");
        assert_string_equal(sums, cases[i].sums != NULL ? cases[i].sums : "  ");
        decoded_close(&d);
    }
}

/* ---- bodies alone ---- */

static void a_body_alone_is_one_record_with_the_entitys_id(void **state)
{
    static const struct {
        decoder decode;
        const char *body;
        const char *id; /* NULL: made up */
        const char *type;
    } cases[] = {
        {decode_legacy_trace, "{\"id\":\"t\",\"name\":\"n\"}", "t", NULL},
        {decode_legacy_trace, "{}", NULL, NULL},
        {decode_legacy_span, "{\"traceId\":\"t\"}", NULL, "SPAN"},
        {decode_legacy_span_update, "{\"spanId\":\"o\",\"traceId\":\"t\"}", "o", "SPAN"},
        {decode_legacy_generation, "{\"id\":\"o\",\"traceId\":\"t\",\"model\":\"m\"}", "o",
         "GENERATION"},
        {decode_legacy_generation_update, "{\"generationId\":\"o\"}", "o", "GENERATION"},
        {decode_legacy_event, "{\"id\":\"o\",\"traceId\":\"t\"}", "o", "EVENT"},
        {decode_score, "{\"name\":\"n\",\"value\":1,\"traceId\":\"t\",\"id\":\"\"}", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct decoded d;
        decoded_open_by(&d, cases[i].decode, cases[i].body, strlen(cases[i].body));
        assert_int_equal(d.err, ERR_OK);
        assert_int_equal(d.collect.record_count, 1);
        assert_int_equal(d.collect.refused_count, 0);
        struct slice id = collect_record_id(&d.collect, 0);
        assert_true(cases[i].id != NULL ? slice_is(id, cases[i].id) : id.len == UUID_TEXT_SIZE);
        assert_true(slice_equals(d.rows[0].values[id_column(d.rows[0].kind)].slice, id));
        if (cases[i].type != NULL) {
            assert_true(slice_is(d.rows[0].values[OBSERVATION_TYPE].slice, cases[i].type));
        }
        decoded_close(&d);
    }
}

static void an_update_alone_must_say_of_what(void **state)
{
    struct decoded d;
    decoded_open_by(&d, decode_legacy_span_update, "{\"traceId\":\"t\"}", 15);
    assert_int_equal(d.err, ERR_OK);
    assert_string_equal(decoded_refusal(&d, 0), "body.id: missing");
    decoded_close(&d);
    decoded_open_by(&d, decode_legacy_span, "[1]", 3);
    assert_int_equal(d.err, ERR_INVALID);
    decoded_close(&d);
}

/* ---- scores ---- */

static void types_of_scores(void **state)
{
    static const struct {
        const char *members;
        const char *type;
        const char *value;
        const char *text;
    } cases[] = {
        {"\"value\":0.75", "NUMERIC", "0.75", NULL},
        {"\"value\":-1e300,\"dataType\":\"NUMERIC\"", "NUMERIC", "-1.0000000000000001e+300", NULL},
        {"\"value\":\"good\",\"dataType\":null", "CATEGORICAL", "0", "good"},
        {"\"value\":1,\"dataType\":\"BOOLEAN\"", "BOOLEAN", "1", "True"},
        {"\"value\":0,\"dataType\":\"BOOLEAN\"", "BOOLEAN", "0", "False"},
        {"\"value\":true,\"dataType\":\"BOOLEAN\"", "BOOLEAN", "1", "True"},
        {"\"value\":\"a text\",\"dataType\":\"TEXT\"", "TEXT", NULL, "a text"},
        {"\"value\":\"\",\"dataType\":\"CORRECTION\"", "CORRECTION", NULL, ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct decoded d;
        char text[400];
        snprintf(text, sizeof(text),
                 ONE("score-create", "{\"id\":\"s\",\"name\":\"n\",\"traceId\":\"t\",%s}"),
                 cases[i].members);
        open_text(&d, text);
        assert_int_equal(d.collect.refused_count, 0);
        assert_in(&d, ROW_SCORE, "s", BAND_SAID, SCORE_DATA_TYPE, cases[i].type);
        assert_in(&d, ROW_SCORE, "s", BAND_SAID, SCORE_VALUE, cases[i].value);
        assert_in(&d, ROW_SCORE, "s", BAND_SAID, SCORE_STRING_VALUE, cases[i].text);
        assert_in(&d, ROW_SCORE, "s", BAND_FIRST, SCORE_TRACE_ID, "t");
        assert_in(&d, ROW_SCORE, "s", BAND_ASSUMED, SCORE_TIMESTAMP, "1795168800000000");
        decoded_close(&d);
    }
}

static void what_a_score_may_get_wrong(void **state)
{
    static const char *const cases[][2] = {
        {"\"value\":1,\"traceId\":\"t\"", "name: missing, or empty"},
        {"\"name\":\"\",\"value\":1,\"traceId\":\"t\"", "name: missing, or empty"},
        {"\"name\":\"n\",\"traceId\":\"t\"", "value: missing"},
        {"\"name\":\"n\",\"value\":null,\"traceId\":\"t\"", "value: missing"},
        {"\"name\":\"n\",\"value\":[1],\"traceId\":\"t\"", "value: not a number or a string"},
        {"\"name\":\"n\",\"value\":1e999,\"traceId\":\"t\"", "value: beyond the range of a double"},
        {"\"name\":\"n\",\"value\":true,\"traceId\":\"t\"", "value: a NUMERIC score is a number"},
        {"\"name\":\"n\",\"value\":\"1\",\"dataType\":\"NUMERIC\",\"traceId\":\"t\"",
         "value: a NUMERIC score is a number"},
        {"\"name\":\"n\",\"value\":2,\"dataType\":\"BOOLEAN\",\"traceId\":\"t\"",
         "value: a BOOLEAN score is 0 or 1"},
        {"\"name\":\"n\",\"value\":\"True\",\"dataType\":\"BOOLEAN\",\"traceId\":\"t\"",
         "value: a BOOLEAN score is 0 or 1"},
        {"\"name\":\"n\",\"value\":1,\"dataType\":\"CATEGORICAL\",\"traceId\":\"t\"",
         "value: a CATEGORICAL score is a string"},
        {"\"name\":\"n\",\"value\":\"\",\"dataType\":\"TEXT\",\"traceId\":\"t\"",
         "value: a TEXT score is a string of 1 to 500 characters"},
        {"\"name\":\"n\",\"value\":1,\"dataType\":\"CORRECTION\",\"traceId\":\"t\"",
         "value: a CORRECTION is a string"},
        {"\"name\":\"n\",\"value\":1,\"dataType\":\"numeric\",\"traceId\":\"t\"",
         "dataType: not NUMERIC, CATEGORICAL, BOOLEAN, TEXT or CORRECTION"},
        {"\"name\":\"n\",\"value\":1",
         "traceId: a score is of one traceId, sessionId or datasetRunId"},
        {"\"name\":\"n\",\"value\":1,\"traceId\":\"t\",\"sessionId\":\"s\"",
         "traceId: a score is of one traceId, sessionId or datasetRunId"},
        {"\"name\":\"n\",\"value\":1,\"sessionId\":\"s\",\"datasetRunId\":\"d\"",
         "traceId: a score is of one traceId, sessionId or datasetRunId"},
        {"\"name\":\"n\",\"value\":1,\"sessionId\":\"s\",\"observationId\":\"o\"",
         "observationId: without its traceId"},
        {"\"name\":\"n\",\"value\":1,\"traceId\":\"t\",\"source\":\"X\"",
         "source: not API, EVAL or ANNOTATION"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[400];
        char expected[200];
        snprintf(text, sizeof(text), ONE("score-create", "{%s}"), cases[i][0]);
        snprintf(expected, sizeof(expected), "batch[0].body.%s", cases[i][1]);
        assert_refused(text, expected);
    }
}

static void what_a_score_is_of_holds_from_the_first(void **state)
{
    struct decoded d;
    open_text(&d,
              ONE("score-create",
                  "{\"id\":\"s\",\"name\":\"n\",\"value\":1,\"sessionId\":\"x\",\"traceId\":null,"
                  "\"observationId\":null,\"comment\":\"c\",\"metadata\":\"m\",\"configId\":\"k\","
                  "\"queueId\":\"q\",\"environment\":\"E\",\"source\":\"EVAL\","
                  "\"timestamp\":\"2026-11-20T08:00:00Z\"}"));
    assert_in(&d, ROW_SCORE, "s", BAND_FIRST, SCORE_SESSION_ID, "x");
    assert_in(&d, ROW_SCORE, "s", BAND_FIRST, SCORE_ENVIRONMENT, "e");
    assert_in(&d, ROW_SCORE, "s", BAND_FIRST, SCORE_TIMESTAMP, "1795161600000000");
    assert_in(&d, ROW_SCORE, "s", BAND_SAID, SCORE_COMMENT, "c");
    assert_in(&d, ROW_SCORE, "s", BAND_SAID, SCORE_METADATA, "{\"metadata\":\"m\"}");
    assert_in(&d, ROW_SCORE, "s", BAND_SAID, SCORE_CONFIG_ID, "k");
    assert_in(&d, ROW_SCORE, "s", BAND_SAID, SCORE_QUEUE_ID, "q");
    assert_in(&d, ROW_SCORE, "s", BAND_SAID, SCORE_SOURCE, "EVAL");
    decoded_close(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_batch_is_fine),
        cmocka_unit_test(other_bodies_are_refused_whole),
        cmocka_unit_test(a_bad_event_is_named_and_harms_no_other),
        cmocka_unit_test(a_value_beyond_its_bound_harms_its_event_only),
        cmocka_unit_test(what_an_event_must_have),
        cmocka_unit_test(members_of_an_event_come_in_any_order),
        cmocka_unit_test(a_public_key_creates_scores_alone),
        cmocka_unit_test(every_type_makes_its_observation),
        cmocka_unit_test(legacy_observations_say_their_type),
        cmocka_unit_test(ids_are_kept_to_the_byte),
        cmocka_unit_test(an_id_is_made_of_the_events),
        cmocka_unit_test(an_observation_without_a_trace_gets_what_others_name),
        cmocka_unit_test(a_trace_in_bands),
        cmocka_unit_test(missing_times_are_the_events),
        cmocka_unit_test(null_is_as_good_as_absent),
        cmocka_unit_test(falsy_payloads_are_weak),
        cmocka_unit_test(events_of_one_millisecond_are_told_apart),
        cmocka_unit_test(times_before_any_clock_are_taken),
        cmocka_unit_test(what_a_body_may_get_wrong),
        cmocka_unit_test(what_a_body_may_say),
        cmocka_unit_test(names_of_traces_have_a_length),
        cmocka_unit_test(environments_are_never_refused),
        cmocka_unit_test(an_end_is_not_before_its_start),
        cmocka_unit_test(forms_of_usage),
        cmocka_unit_test(a_body_alone_is_one_record_with_the_entitys_id),
        cmocka_unit_test(an_update_alone_must_say_of_what),
        cmocka_unit_test(types_of_scores),
        cmocka_unit_test(what_a_score_may_get_wrong),
        cmocka_unit_test(what_a_score_is_of_holds_from_the_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
