/* decode_ingestion: batches of events: what is told apart, identities, bands and versions
 * (contract/langfuse.md sections 2.1 to 2.4). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "events.h"

#include "gateway/ingest/decode_ingestion.h"

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
        events_open_text(&d, texts[i]);
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
    events_open(&d, events);
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
    events_assert_in(&d, ROW_TRACE, "t", BAND_SAID, TRACE_NAME, "n");
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
    events_open(&d, events);
    assert_int_equal(d.collect.record_count, 4);
    assert_int_equal(d.collect.refused_count, 3);
    assert_string_equal(decoded_refusal(&d, 0), "batch[1].body.input: nested too deeply");
    assert_string_equal(decoded_refusal(&d, 1),
                        "batch[2].body.usageDetails: exponent out of range");
    assert_string_equal(decoded_refusal(&d, 2), "batch[3].body.value: nested too deeply");
    assert_true(slice_is(collect_refusal(&d.collect, 1).id, "e2"));
    events_assert_in(&d, ROW_TRACE, "t", BAND_SAID, TRACE_NAME, "n");
    decoded_close(&d);
}

static void what_an_event_must_have(void **state)
{
    events_assert_refused(
        BATCH("{\"id\":\"\",\"type\":\"trace-create\",\"timestamp\":\"" AT "\",\"body\":{}}"),
        "batch[0].id: missing, or not a string");
    events_assert_refused(ONE("trace-update", "{}"),
                          "batch[0].type: no type of events that is taken here");
    events_assert_refused(ONE("dataset-run-item-create", "{}"),
                          "batch[0].type: no type of events that is taken here");
    events_assert_refused(BATCH("{\"id\":\"e\",\"timestamp\":\"" AT "\",\"body\":{}}"),
                          "batch[0].type: no type of events that is taken here");
    events_assert_refused(BATCH("{\"id\":\"e\",\"type\":\"trace-create\",\"body\":{}}"),
                          "batch[0].timestamp: not an RFC 3339 time with an offset");
    events_assert_refused(BATCH(EVENT_AT("e", "trace-create", "2026-11-20", "{}")),
                          "batch[0].timestamp: not an RFC 3339 time with an offset");
    events_assert_refused(
        BATCH("{\"id\":\"e\",\"type\":\"trace-create\",\"timestamp\":5,\"body\":{}}"),
        "batch[0].timestamp: not an RFC 3339 time with an offset");
    events_assert_refused(ONE("trace-create", "null"), "batch[0].body: not an object");
    events_assert_refused(ONE("trace-create", "[{}]"), "batch[0].body: not an object");
    events_assert_refused(
        BATCH("{\"id\":\"e\",\"type\":\"trace-create\",\"timestamp\":\"" AT "\"}"),
        "batch[0].body: not an object");
}

static void members_of_an_event_come_in_any_order(void **state)
{
    struct decoded d;
    events_open_text(&d, BATCH("{\"body\":{\"name\":\"n\",\"id\":\"t\"},\"metadata\":{\"body\":1},"
                               "\"timestamp\":\"" AT
                               "\",\"x\":[],\"id\":\"e\",\"type\":\"trace-create\"}"));
    events_assert_in(&d, ROW_TRACE, "t", BAND_SAID, TRACE_NAME, "n");
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
        events_open_text(&d, text);
        events_assert_said(&d, "o", OBSERVATION_TYPE, types[i][1]);
        bool is_event = strcmp(types[i][1], "EVENT") == 0;
        bool is_span = strcmp(types[i][1], "SPAN") == 0;
        events_assert_said(&d, "o", OBSERVATION_MODEL, is_event || is_span ? NULL : "m");
        events_assert_said(&d, "o", OBSERVATION_END_TIME, is_event ? NULL : "1795168809000000");
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
    events_open(&d, events);
    assert_int_equal(d.collect.refused_count, 0);
    events_assert_said(&d, "o", OBSERVATION_TYPE, "GENERATION");
    events_assert_said(&d, "o", OBSERVATION_MODEL, "m");
    events_assert_in(&d, ROW_OBSERVATION, "o", BAND_FIRST, OBSERVATION_ENVIRONMENT, NULL);
    decoded_close(&d);
    events_assert_refused(
        ONE("observation-create", "{\"id\":\"o\",\"traceId\":\"t\",\"type\":\"AGENT\"}"),
        "batch[0].body.type: not GENERATION, SPAN or EVENT");
    events_assert_refused(ONE("observation-update", "{\"id\":\"o\",\"traceId\":\"t\"}"),
                          "batch[0].body.type: not GENERATION, SPAN or EVENT");
}

/* ---- ids ---- */

static void ids_are_kept_to_the_byte(void **state)
{
    struct decoded d;
    events_open_text(&d, ONE("span-create", "{\"id\":\"0A6F9619-FF8B-4011-B42D-00C04FC964FF\","
                                            "\"traceId\":\"order #42/\\u00fcn\xc3\xaf?x=1&cap\"}"));
    events_assert_said(&d, "0A6F9619-FF8B-4011-B42D-00C04FC964FF", OBSERVATION_TRACE_ID,
                       "order #42/\xc3\xbcn\xc3\xaf?x=1&cap");
    decoded_close(&d);
    events_assert_refused(ONE("span-create", "{\"traceId\":\"t\"}"), "batch[0].body.id: missing");
    events_assert_refused(ONE("span-create", "{\"id\":\"\",\"traceId\":\"t\"}"),
                          "batch[0].body.id: missing");
    events_assert_refused(ONE("span-create", "{\"id\":7,\"traceId\":\"t\"}"),
                          "batch[0].body.id: not a string");
    events_assert_refused(ONE("span-create", "{\"id\":\"a\\rb\",\"traceId\":\"t\"}"),
                          "batch[0].body.id: holds a carriage return");
    events_assert_taken(
        ONE("span-create", "{\"id\":\"o\",\"traceId\":\"t\",\"parentObservationId\":\"\"}"));
}

static void an_id_is_made_of_the_events(void **state)
{
    struct decoded first;
    struct decoded second;
    events_open_text(&first, ONE("trace-create", "{\"name\":\"n\"}"));
    events_open_text(&second, ONE("trace-create", "{\"name\":\"n\",\"id\":null}"));
    assert_true(
        slice_equals(first.rows[0].values[TRACE_ID].slice, second.rows[0].values[TRACE_ID].slice));
    assert_int_equal(first.rows[0].values[TRACE_ID].slice.len, UUID_TEXT_SIZE);
    decoded_close(&second);
    events_open_text(&second, BATCH(EVENT("other", "trace-create", "{\"name\":\"n\"}")));
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
    events_open(&d, events);
    for (uint32_t i = 0; i < d.collect.row_count; i++) {
        const struct row *row = &d.rows[i];
        traces += row->kind == ROW_TRACE;
        if (row->kind == ROW_OBSERVATION) {
            bool is_p = slice_is(row->values[OBSERVATION_ID].slice, "p");
            assert_true(slice_is(row->values[OBSERVATION_TRACE_ID].slice, is_p ? "" : "t"));
        }
    }
    assert_int_equal(traces, 1); /* the bare one of t: that of p is the writer's */
    events_assert_said(&d, "o", OBSERVATION_OUTPUT, "1");
    events_assert_said(&d, "o", OBSERVATION_STATUS_MESSAGE, "s");
    decoded_close(&d);
}

/* ---- bands ---- */

static void a_trace_in_bands(void **state)
{
    struct decoded d;
    events_open_text(
        &d, ONE("trace-create",
                "{\"id\":\"t\",\"timestamp\":\"2026-11-20T09:00:00+02:00\",\"name\":\"n\","
                "\"userId\":\"u\",\"sessionId\":\"s\",\"release\":\"r\",\"version\":\"v\","
                "\"environment\":\"Langfuse-Prod\",\"externalId\":\"x\",\"public\":true,"
                "\"tags\":[\"b\",\"a\"],\"input\":{\"a\":1},\"output\":\"\",\"metadata\":[1],"
                "\"bookmarked\":true,\"unknown\":{}}"));
    events_assert_in(&d, ROW_TRACE, "t", BAND_FIRST, TRACE_TIMESTAMP, "1795158000000000");
    events_assert_in(&d, ROW_TRACE, "t", BAND_FIRST, TRACE_ENVIRONMENT, "prod");
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
        events_assert_in(&d, ROW_TRACE, "t", BAND_SAID, said[i].column, said[i].value);
    }
    events_assert_in(&d, ROW_TRACE, "t", BAND_WEAK, TRACE_OUTPUT, "\"\"");
    events_assert_in(&d, ROW_TRACE, "t", BAND_ASSUMED, TRACE_TIMESTAMP, NULL);
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
    events_open(&d, events);
    events_assert_in(&d, ROW_TRACE, "t", BAND_ASSUMED, TRACE_TIMESTAMP, "1795168800000000");
    events_assert_in(&d, ROW_OBSERVATION, "o", BAND_ASSUMED, OBSERVATION_START_TIME,
                     "1795168800000000");
    events_assert_in(&d, ROW_OBSERVATION, "o", BAND_FIRST, OBSERVATION_START_TIME, NULL);
    /* The bare trace of an observation is the weakest. */
    events_assert_in(&d, ROW_TRACE, "u", BAND_WEAK, TRACE_TIMESTAMP, "1795168800000000");
    decoded_close(&d);
}

static void null_is_as_good_as_absent(void **state)
{
    struct decoded d;
    events_open_text(
        &d, ONE("generation-update",
                "{\"id\":\"o\",\"traceId\":\"t\",\"parentObservationId\":null,\"name\":null,"
                "\"startTime\":null,\"endTime\":null,\"completionStartTime\":null,"
                "\"model\":null,\"modelParameters\":null,\"input\":null,\"output\":null,"
                "\"usage\":null,\"usageDetails\":null,\"costDetails\":null,\"level\":null,"
                "\"statusMessage\":null,\"version\":null,\"metadata\":null,"
                "\"environment\":null,\"promptName\":null,\"promptVersion\":null}"));
    assert_int_equal(d.collect.refused_count, 0);
    uint64_t keys = UINT64_C(1) << OBSERVATION_TRACE_ID | UINT64_C(1) << OBSERVATION_ID;
    const struct row *said = events_find(&d, ROW_OBSERVATION, "o", BAND_SAID, OBSERVATION_ID);
    assert_true(said->present == (keys | UINT64_C(1) << OBSERVATION_TYPE));
    assert_null(events_find(&d, ROW_OBSERVATION, "o", BAND_FIRST, OBSERVATION_ID));
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
        events_open_text(&d, text);
        events_assert_in(&d, ROW_OBSERVATION, "o", BAND_WEAK, OBSERVATION_INPUT, falsy[i]);
        events_assert_said(&d, "o", OBSERVATION_INPUT, NULL);
        events_assert_said(&d, "o", OBSERVATION_OUTPUT, truthy[i]);
        decoded_close(&d);
    }
}

/* ---- versions ---- */

static int64_t version_of(const struct decoded *d, const char *id)
{
    const struct row *row = events_find(d, ROW_OBSERVATION, id, BAND_SAID, OBSERVATION_ID);
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
    events_open(&d, events);
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
    events_open(&d, events);
    assert_int_equal(d.collect.refused_count, 0);
    assert_int_equal(version_of(&d, "a"), 0);
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
