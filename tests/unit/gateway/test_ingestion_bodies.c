/* ingestion*.c: what bodies of events may say and get wrong: fields, usage and costs, scores; bodies alone (contract/
 * langfuse.md sections 2.3, 2.5 and 2.6). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "events.h"

#include "gateway/ingest/decode_ingestion.h"

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
        events_assert_refused(text, expected);
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
        events_assert_taken(text);
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
    events_assert_taken(text);
    snprintf(text, sizeof(text), ONE("trace-create", "{\"id\":\"t\",\"name\":\"%sx\"}"), name);
    events_assert_refused(text, "batch[0].body.name: longer than 1000 characters");
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
        events_open_text(&d, text);
        events_assert_in(&d, ROW_TRACE, "t", BAND_FIRST, TRACE_ENVIRONMENT, cases[i][1]);
        decoded_close(&d);
    }
}

static void an_end_is_not_before_its_start(void **state)
{
    struct decoded d;
    events_open_text(&d, ONE("span-create", "{\"id\":\"o\",\"traceId\":\"t\",\"startTime\":\"" AT
                                            "\",\"endTime\":\"2026-11-20T09:59:59Z\"}"));
    events_assert_said(&d, "o", OBSERVATION_END_TIME, "1795168800000000");
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
        events_open_text(&d, text);
        events_assert_said(&d, "o", OBSERVATION_USAGE_DETAILS, cases[i].usage);
        events_assert_in(&d, ROW_OBSERVATION, "o", BAND_ASSUMED, OBSERVATION_USAGE_DETAILS,
                         cases[i].usage == NULL ? "{}" : NULL);
        events_assert_said(&d, "o", OBSERVATION_COST_DETAILS, cases[i].costs);
        events_assert_said(&d, "o", OBSERVATION_UNIT, cases[i].unit);
        const struct row *row = events_find(&d, ROW_OBSERVATION, "o", BAND_SAID, OBSERVATION_ID);
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
        events_open_text(&d, text);
        assert_int_equal(d.collect.refused_count, 0);
        events_assert_in(&d, ROW_SCORE, "s", BAND_SAID, SCORE_DATA_TYPE, cases[i].type);
        events_assert_in(&d, ROW_SCORE, "s", BAND_SAID, SCORE_VALUE, cases[i].value);
        events_assert_in(&d, ROW_SCORE, "s", BAND_SAID, SCORE_STRING_VALUE, cases[i].text);
        events_assert_in(&d, ROW_SCORE, "s", BAND_FIRST, SCORE_TRACE_ID, "t");
        events_assert_in(&d, ROW_SCORE, "s", BAND_ASSUMED, SCORE_TIMESTAMP, "1795168800000000");
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
        events_assert_refused(text, expected);
    }
}

static void what_a_score_is_of_holds_from_the_first(void **state)
{
    struct decoded d;
    events_open_text(
        &d, ONE("score-create",
                "{\"id\":\"s\",\"name\":\"n\",\"value\":1,\"sessionId\":\"x\",\"traceId\":null,"
                "\"observationId\":null,\"comment\":\"c\",\"metadata\":\"m\",\"configId\":\"k\","
                "\"queueId\":\"q\",\"environment\":\"E\",\"source\":\"EVAL\","
                "\"timestamp\":\"2026-11-20T08:00:00Z\"}"));
    events_assert_in(&d, ROW_SCORE, "s", BAND_FIRST, SCORE_SESSION_ID, "x");
    events_assert_in(&d, ROW_SCORE, "s", BAND_FIRST, SCORE_ENVIRONMENT, "e");
    events_assert_in(&d, ROW_SCORE, "s", BAND_FIRST, SCORE_TIMESTAMP, "1795161600000000");
    events_assert_in(&d, ROW_SCORE, "s", BAND_SAID, SCORE_COMMENT, "c");
    events_assert_in(&d, ROW_SCORE, "s", BAND_SAID, SCORE_METADATA, "{\"metadata\":\"m\"}");
    events_assert_in(&d, ROW_SCORE, "s", BAND_SAID, SCORE_CONFIG_ID, "k");
    events_assert_in(&d, ROW_SCORE, "s", BAND_SAID, SCORE_QUEUE_ID, "q");
    events_assert_in(&d, ROW_SCORE, "s", BAND_SAID, SCORE_SOURCE, "EVAL");
    decoded_close(&d);
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
        assert_true(slice_equals(d.rows[0].values[events_id_column(d.rows[0].kind)].slice, id));
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_body_may_get_wrong),
        cmocka_unit_test(what_a_body_may_say),
        cmocka_unit_test(names_of_traces_have_a_length),
        cmocka_unit_test(environments_are_never_refused),
        cmocka_unit_test(an_end_is_not_before_its_start),
        cmocka_unit_test(forms_of_usage),
        cmocka_unit_test(types_of_scores),
        cmocka_unit_test(what_a_score_may_get_wrong),
        cmocka_unit_test(what_a_score_is_of_holds_from_the_first),
        cmocka_unit_test(a_body_alone_is_one_record_with_the_entitys_id),
        cmocka_unit_test(an_update_alone_must_say_of_what),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
