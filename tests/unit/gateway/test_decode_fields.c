/* decode_batch: what each member of a trace and of an observation becomes, good and bad. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/buf.h"
#include "decoded.h"

struct field_case {
    const char *members;  /* JSON text of the record's further members */
    uint32_t column;      /* of a record that is stored */
    const char *expected; /* its value; NULL: absent */
    const char *refusal;  /* instead: the way into the record and the reason */
};

static void check(enum row_kind kind, const struct field_case *c)
{
    bool trace = kind == ROW_TRACE;
    struct buf text = BUF_EMPTY;
    struct decoded d;
    buf_append_text(&text, trace ? "{\"trace\":{\"id\":\"" TRACE_A "\","
                                 : "{\"observations\":[{\"traceId\":\"" TRACE_A
                                   "\",\"id\":\"" OBSERVATION_A "\",");
    buf_append_text(&text, c->members);
    buf_append_text(&text, trace ? "}}" : "}]}");
    decoded_open(&d, text.data, text.len);

    const struct row *row = decoded_row(&d, kind, trace ? TRACE_A : OBSERVATION_A);
    const char *value = row != NULL ? decoded_value(&d, row, c->column) : NULL;
    const char *refusal = decoded_refusal(&d, 0);
    char expected[200] = "";
    if (c->refusal != NULL) {
        snprintf(expected, sizeof(expected), "%s.%s", trace ? "trace" : "observations[0]",
                 c->refusal);
    }
    bool good = d.err == ERR_OK && (row == NULL) == (c->refusal != NULL) &&
                (value == NULL) == (c->expected == NULL) &&
                (value == NULL || strcmp(value, c->expected) == 0) &&
                strcmp(refusal != NULL ? refusal : "", expected) == 0;
    if (!good) {
        print_error("%.300s\nexpected %s %s\nhave     %s %s %s\n", c->members,
                    c->expected ? c->expected : "-", expected, value ? value : "-",
                    refusal ? refusal : "", d.error.text);
    }
    assert_true(good);
    decoded_close(&d);
    buf_finish(&text);
}

static void check_all(enum row_kind kind, const struct field_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        check(kind, &cases[i]);
    }
}

#define CHECK_ALL(kind, cases) check_all(kind, cases, sizeof(cases) / sizeof(cases[0]))

static void members_of_a_trace(void **state)
{
    static const struct field_case cases[] = {
        {"\"timestamp\":\"2026-01-01T00:00:00.1234567Z\"", TRACE_TIMESTAMP, "1767225600123456"},
        {"\"timestamp\":\"2026-01-01 01:00:00+01:00\"", TRACE_TIMESTAMP, "1767225600000000"},
        {"\"name\":\"chat.turn\"", TRACE_NAME, "chat.turn"},
        {"\"name\":\"\"", TRACE_NAME, ""},
        {"\"name\":null", TRACE_NAME, NULL},
        {"\"name\":\"\\u00e9\\n\\ud83d\\ude00\"", TRACE_NAME, "é\n😀"},
        {"\"name\":\"a\\u0000b\\ud800c\"", TRACE_NAME,
         "a\xEF\xBF\xBD"
         "b\xEF\xBF\xBD"
         "c"},
        {"\"n\\u0061me\":\"x\"", TRACE_NAME, "x"},
        {"\"input\":{\"b\":1.50,\"a\":[1, 2]}", TRACE_INPUT, "{\"b\":1.50,\"a\":[1, 2]}"},
        {"\"input\":1234567890123456789012345678901234567890", TRACE_INPUT,
         "1234567890123456789012345678901234567890"},
        {"\"input\":\"a\\u0000\"", TRACE_INPUT, "\"a\\ufffd\""},
        {"\"input\":null", TRACE_INPUT, NULL},
        {"\"input\":false", TRACE_INPUT, "false"},
        {"\"input\":\"\"", TRACE_INPUT, "\"\""},
        {"\"output\":[]", TRACE_OUTPUT, "[]"},
        {"\"metadata\":{\"k\":1}", TRACE_METADATA, "{\"k\":1}"},
        {"\"metadata\":\"text\"", TRACE_METADATA, "\"text\""},
        {"\"metadata\":null", TRACE_METADATA, NULL},
        {"\"sessionId\":\"s\"", TRACE_SESSION_ID, "s"},
        {"\"session_id\":\"s\"", TRACE_SESSION_ID, "s"},
        {"\"sessionId\":\"s\",\"session_id\":\"s\"", TRACE_SESSION_ID, "s"},
        {"\"session_id\":\"two\",\"sessionId\":\"one\"", TRACE_SESSION_ID, "one"},
        {"\"sessionId\":\"one\",\"session_id\":\"two\"", TRACE_SESSION_ID, "one"},
        {"\"sessionId\":null,\"session_id\":\"s\"", TRACE_SESSION_ID, "s"},
        {"\"session_id\":\"s\",\"sessionId\":null", TRACE_SESSION_ID, "s"},
        {"\"sessionId\":\"s\",\"session_id\":null", TRACE_SESSION_ID, "s"},
        {"\"release\":\"r\"", TRACE_RELEASE, "r"},
        {"\"version\":\"v\"", TRACE_VERSION, "v"},
        {"\"userId\":\"\"", TRACE_USER_ID, ""},
        {"\"tags\":[\"b\",\"a\\n\"]", TRACE_TAGS, "[\"b\",\"a\\n\"]"},
        {"\"tags\":[]", TRACE_TAGS, NULL},
        {"\"tags\":[ \n]", TRACE_TAGS, NULL},
        {"\"tags\":null", TRACE_TAGS, NULL},
        {"\"public\":true", TRACE_PUBLIC, "1"},
        {"\"public\":false", TRACE_PUBLIC, "0"},
        {"\"bookmarked\":true", TRACE_BOOKMARKED, "1"},
        {"\"environment\":\"production\"", TRACE_ENVIRONMENT, "production"},
        {"\"externalId\":\"e\"", TRACE_EXTERNAL_ID, "e"},
        {"\"latency\":1.5", TRACE_LATENCY, "1.5"},
        {"\"latency\":-2", TRACE_LATENCY, "-2"},
        {"\"totalCost\":0.000000123", TRACE_TOTAL_COST, "0.000000123"},
        {"\"totalCost\":1e-7", TRACE_TOTAL_COST, "1e-7"},
        {"\"projectId\":\"other\"", TRACE_NAME, NULL},
        {"\"projectId\":42", TRACE_NAME, NULL},
        {"\"whatever\":{\"id\":[1]}", TRACE_NAME, NULL},
    };
    CHECK_ALL(ROW_TRACE, cases);
}

static void wrong_members_of_a_trace_are_named(void **state)
{
    static const struct field_case cases[] = {
        {"\"id\":\"x\"", 0, NULL, "id: not a UUID"},
        {"\"id\":42", 0, NULL, "id: not a string"},
        {"\"id\":null", 0, NULL, "id: missing"},
        {"\"id\":\"\"", 0, NULL, "id: not a UUID"},
        {"\"timestamp\":\"2026-01-01\"", 0, NULL, "timestamp: not an RFC 3339 time with an offset"},
        {"\"timestamp\":\"2026-01-01T00:00:00\"", 0, NULL,
         "timestamp: not an RFC 3339 time with an offset"},
        {"\"timestamp\":1767225600", 0, NULL, "timestamp: not an RFC 3339 time with an offset"},
        {"\"timestamp\":\"-4713-01-01T00:00:00Z\"", 0, NULL,
         "timestamp: not an RFC 3339 time with an offset"},
        {"\"name\":5", 0, NULL, "name: not a string"},
        {"\"name\":{\"a\":[1]}", 0, NULL, "name: not a string"},
        {"\"session_id\":5", 0, NULL, "session_id: not a string"},
        {"\"tags\":\"a\"", 0, NULL, "tags: not an array of strings"},
        {"\"tags\":[\"a\",1]", 0, NULL, "tags[1]: not a string"},
        {"\"tags\":[null]", 0, NULL, "tags[0]: not a string"},
        {"\"public\":\"true\"", 0, NULL, "public: not true or false"},
        {"\"public\":1", 0, NULL, "public: not true or false"},
        {"\"latency\":\"1\"", 0, NULL, "latency: not a number"},
        {"\"latency\":1e999", 0, NULL, "latency: beyond the range of a double"},
        {"\"totalCost\":true", 0, NULL, "totalCost: not a number"},
        {"\"totalCost\":1e31", 0, NULL,
         "totalCost: more than 30 digits before the point or 60 behind it"},
    };
    CHECK_ALL(ROW_TRACE, cases);
}

static void members_of_an_observation(void **state)
{
    static const struct field_case cases[] = {
        {"\"type\":\"SPAN\"", OBSERVATION_TYPE, "SPAN"},
        {"\"type\":\"whatever\"", OBSERVATION_TYPE, "whatever"},
        {"\"name\":\"n\"", OBSERVATION_NAME, "n"},
        {"\"startTime\":\"2026-01-01T00:00:00Z\"", OBSERVATION_START_TIME, "1767225600000000"},
        {"\"endTime\":\"2026-01-01T00:00:01Z\"", OBSERVATION_END_TIME, "1767225601000000"},
        {"\"completionStartTime\":\"2026-01-01T00:00:00.5Z\"", OBSERVATION_COMPLETION_START_TIME,
         "1767225600500000"},
        {"\"model\":\"m\"", OBSERVATION_MODEL, "m"},
        {"\"modelParameters\":{\"temperature\":0.10}", OBSERVATION_MODEL_PARAMETERS,
         "{\"temperature\":0.10}"},
        {"\"input\":\"i\"", OBSERVATION_INPUT, "\"i\""},
        {"\"output\":{}", OBSERVATION_OUTPUT, "{}"},
        {"\"level\":\"ERROR\"", OBSERVATION_LEVEL, "ERROR"},
        {"\"statusMessage\":\"s\"", OBSERVATION_STATUS_MESSAGE, "s"},
        {"\"parentObservationId\":\"{1B000000-0000-4000-8000-000000000002}\"",
         OBSERVATION_PARENT_OBSERVATION_ID, OBSERVATION_B},
        {"\"parentObservationId\":null", OBSERVATION_PARENT_OBSERVATION_ID, NULL},
        {"\"promptId\":\"p\"", OBSERVATION_PROMPT_ID, "p"},
        {"\"promptName\":\"p\"", OBSERVATION_PROMPT_NAME, "p"},
        {"\"promptVersion\":\"3\"", OBSERVATION_PROMPT_VERSION, "3"},
        {"\"promptVersion\":\"v3\"", OBSERVATION_PROMPT_VERSION, "v3"},
        {"\"promptVersion\":3", OBSERVATION_PROMPT_VERSION, "3"},
        {"\"promptVersion\":3.0", OBSERVATION_PROMPT_VERSION, "3"},
        {"\"modelId\":\"m\"", OBSERVATION_MODEL_ID, "m"},
        {"\"inputPrice\":0.1", OBSERVATION_INPUT_PRICE, "0.1"},
        {"\"outputPrice\":0.2", OBSERVATION_OUTPUT_PRICE, "0.2"},
        {"\"totalPrice\":3", OBSERVATION_TOTAL_PRICE, "3"},
        {"\"calculatedInputCost\":0.10000000000000000000001", OBSERVATION_INPUT_COST,
         "0.10000000000000000000001"},
        {"\"calculatedOutputCost\":2E1", OBSERVATION_OUTPUT_COST, "2E1"},
        {"\"calculatedTotalCost\":-0.5", OBSERVATION_TOTAL_COST, "-0.5"},
        {"\"latency\":0", OBSERVATION_LATENCY, "0"},
        {"\"timeToFirstToken\":0.25", OBSERVATION_TIME_TO_FIRST_TOKEN, "0.25"},
        {"\"promptTokens\":0", OBSERVATION_PROMPT_TOKENS, "0"},
        {"\"completionTokens\":9007199254740993", OBSERVATION_COMPLETION_TOKENS,
         "9007199254740993"},
        {"\"totalTokens\":1000000000000000000", OBSERVATION_TOTAL_TOKENS, "1000000000000000000"},
        {"\"unit\":\"TOKENS\"", OBSERVATION_UNIT, "TOKENS"},
        {"\"metadata\":{\"turn_id\":\"t\"}", OBSERVATION_METADATA, "{\"turn_id\":\"t\"}"},
        {"\"environment\":\"e\"", OBSERVATION_ENVIRONMENT, "e"},
        {"\"projectId\":\"other\"", OBSERVATION_NAME, NULL},
        {"\"promptTokens\":5", OBSERVATION_TOTAL_TOKENS, NULL},
        {"\"name\":null", OBSERVATION_TYPE, NULL},
    };
    CHECK_ALL(ROW_OBSERVATION, cases);
}

static void wrong_members_of_an_observation_are_named(void **state)
{
    static const struct field_case cases[] = {
        {"\"traceId\":null", 0, NULL, "traceId: missing"},
        {"\"traceId\":\"0a00\"", 0, NULL, "traceId: not a UUID"},
        {"\"parentObservationId\":\"\"", 0, NULL, "parentObservationId: not a UUID"},
        {"\"startTime\":\"yesterday\"", 0, NULL, "startTime: not an RFC 3339 time with an offset"},
        {"\"promptTokens\":12.0", 0, NULL, "promptTokens: not a 64-bit integer"},
        {"\"promptTokens\":1.5", 0, NULL, "promptTokens: not a 64-bit integer"},
        {"\"promptTokens\":1e2", 0, NULL, "promptTokens: not a 64-bit integer"},
        {"\"promptTokens\":9223372036854775808", 0, NULL, "promptTokens: not a 64-bit integer"},
        {"\"promptTokens\":9223372036854775807", 0, NULL, "promptTokens: greater than 10^18"},
        {"\"promptTokens\":-1", 0, NULL, "promptTokens: negative"},
        {"\"promptTokens\":\"1\"", 0, NULL, "promptTokens: not a number"},
        {"\"promptVersion\":1.5", 0, NULL, "promptVersion: not a string or a whole number"},
        {"\"promptVersion\":true", 0, NULL, "promptVersion: not a string or a whole number"},
        {"\"level\":3", 0, NULL, "level: not a string"},
        {"\"calculatedTotalCost\":\"1\"", 0, NULL, "calculatedTotalCost: not a number"},
        {"\"timeToFirstToken\":-1e400", 0, NULL, "timeToFirstToken: beyond the range of a double"},
        /* The first in the order of the contract is named. */
        {"\"unit\":1,\"name\":2", 0, NULL, "name: not a string"},
    };
    CHECK_ALL(ROW_OBSERVATION, cases);
}

static void usage_counts_where_the_observation_is_silent(void **state)
{
    static const struct field_case cases[] = {
        {"\"usage\":{\"input\":7,\"output\":2,\"total\":9}", OBSERVATION_PROMPT_TOKENS, "7"},
        {"\"usage\":{\"input\":7,\"output\":2,\"total\":9}", OBSERVATION_COMPLETION_TOKENS, "2"},
        {"\"usage\":{\"input\":7,\"output\":2,\"total\":9}", OBSERVATION_TOTAL_TOKENS, "9"},
        {"\"usage\":{\"unit\":\"TOKENS\"}", OBSERVATION_UNIT, "TOKENS"},
        {"\"usage\":{\"unit\":null}", OBSERVATION_UNIT, NULL},
        {"\"usage\":{\"prompt_tokens\":7}", OBSERVATION_PROMPT_TOKENS, "7"},
        {"\"usage\":{\"promptTokens\":7}", OBSERVATION_PROMPT_TOKENS, "7"},
        {"\"usage\":{\"input_tokens\":7}", OBSERVATION_PROMPT_TOKENS, "7"},
        {"\"usage\":{\"inputTokens\":7}", OBSERVATION_PROMPT_TOKENS, "7"},
        {"\"usage\":{\"completion_tokens\":7}", OBSERVATION_COMPLETION_TOKENS, "7"},
        {"\"usage\":{\"completionTokens\":7}", OBSERVATION_COMPLETION_TOKENS, "7"},
        {"\"usage\":{\"output_tokens\":7}", OBSERVATION_COMPLETION_TOKENS, "7"},
        {"\"usage\":{\"outputTokens\":7}", OBSERVATION_COMPLETION_TOKENS, "7"},
        {"\"usage\":{\"total_tokens\":7}", OBSERVATION_TOTAL_TOKENS, "7"},
        {"\"usage\":{\"totalTokens\":7}", OBSERVATION_TOTAL_TOKENS, "7"},
        {"\"usage\":{\"input\":7.0}", OBSERVATION_PROMPT_TOKENS, "7"},
        {"\"usage\":{\"inputCost\":0.1}", OBSERVATION_INPUT_COST, "0.1"},
        {"\"usage\":{\"output_cost\":0.2}", OBSERVATION_OUTPUT_COST, "0.2"},
        {"\"usage\":{\"totalCost\":0.3}", OBSERVATION_TOTAL_COST, "0.3"},
        /* The observation's own word wins, wherever it stands. */
        {"\"usage\":{\"input\":7},\"promptTokens\":5", OBSERVATION_PROMPT_TOKENS, "5"},
        {"\"promptTokens\":5,\"usage\":{\"input\":7}", OBSERVATION_PROMPT_TOKENS, "5"},
        {"\"promptTokens\":null,\"usage\":{\"input\":7}", OBSERVATION_PROMPT_TOKENS, "7"},
        {"\"usage\":{\"input\":7},\"promptTokens\":null", OBSERVATION_PROMPT_TOKENS, "7"},
        {"\"usage\":{\"input\":\"many\"},\"promptTokens\":5", OBSERVATION_PROMPT_TOKENS, "5"},
        {"\"unit\":\"A\",\"usage\":{\"unit\":\"B\"}", OBSERVATION_UNIT, "A"},
        {"\"calculatedTotalCost\":1,\"usage\":{\"totalCost\":2}", OBSERVATION_TOTAL_COST, "1"},
        /* Of two spellings the plainer one, and null says nothing. */
        {"\"usage\":{\"prompt_tokens\":8,\"input\":7}", OBSERVATION_PROMPT_TOKENS, "7"},
        {"\"usage\":{\"input\":7,\"prompt_tokens\":null}", OBSERVATION_PROMPT_TOKENS, "7"},
        {"\"usage\":{\"prompt_tokens_details\":{\"cached_tokens\":1}}", OBSERVATION_PROMPT_TOKENS,
         NULL},
        /* The reference takes any JSON for usage. */
        {"\"usage\":null", OBSERVATION_PROMPT_TOKENS, NULL},
        {"\"usage\":12", OBSERVATION_PROMPT_TOKENS, NULL},
        {"\"usage\":[{\"input\":1}]", OBSERVATION_PROMPT_TOKENS, NULL},
        /* The last usage counts, whole. */
        {"\"usage\":{\"input\":7},\"usage\":{\"output\":1}", OBSERVATION_PROMPT_TOKENS, NULL},
        {"\"usage\":{\"input\":true},\"usage\":{\"input\":1}", OBSERVATION_PROMPT_TOKENS, "1"},
        {"\"usage\":{\"input\":7},\"usage\":null", OBSERVATION_PROMPT_TOKENS, NULL},
        {"\"usage\":{\"input\":1.5}", 0, NULL, "usage.input: not a whole number"},
        {"\"usage\":{\"input\":\"7\"}", 0, NULL, "usage.input: not a number"},
        {"\"usage\":{\"prompt_tokens\":-7}", 0, NULL, "usage.prompt_tokens: negative"},
        {"\"usage\":{\"total\":1e300}", 0, NULL, "usage.total: not a whole number"},
        {"\"usage\":{\"unit\":5}", 0, NULL, "usage.unit: not a string"},
    };
    CHECK_ALL(ROW_OBSERVATION, cases);
}

static void the_last_of_a_repeated_key_counts(void **state)
{
    static const struct field_case cases[] = {
        {"\"name\":\"a\",\"name\":\"b\"", OBSERVATION_NAME, "b"},
        {"\"name\":\"a\",\"name\":null", OBSERVATION_NAME, NULL},
        {"\"name\":5,\"name\":\"b\"", OBSERVATION_NAME, "b"},
        {"\"name\":\"b\",\"name\":5", 0, NULL, "name: not a string"},
        {"\"name\":5,\"unit\":6,\"name\":\"b\"", 0, NULL, "unit: not a string"},
        {"\"id\":\"x\",\"id\":\"" OBSERVATION_A "\"", OBSERVATION_ID, OBSERVATION_A},
    };
    CHECK_ALL(ROW_OBSERVATION, cases);
}

static void ids_are_uuids_in_any_form(void **state)
{
    static const char *const forms[] = {
        OBSERVATION_B,
        "1B000000-0000-4000-8000-000000000002",
        "1b000000000040008000000000000002",
        "{1b000000-0000-4000-8000-000000000002}",
        "urn:uuid:1b000000-0000-4000-8000-000000000002",
        "\\u0031b000000-0000-4000-8000-000000000002",
    };
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        char text[300];
        struct decoded d;
        int len =
            snprintf(text, sizeof(text), "{\"observations\":[{\"id\":\"%s\",\"traceId\":\"%s\"}]}",
                     forms[i], forms[i]);
        decoded_open(&d, text, (size_t)len);
        assert_int_equal(d.err, ERR_OK);
        assert_non_null(decoded_row(&d, ROW_OBSERVATION, OBSERVATION_B));
        assert_non_null(decoded_row(&d, ROW_TRACE, OBSERVATION_B));
        decoded_close(&d);
    }
}

static void long_texts_are_refused_by_name(void **state)
{
    static const struct {
        const char *key;
        size_t longest;
    } fields[] = {{"userId", 800}, {"sessionId", 800}, {"name", 4000}, {"environment", 4000}};
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        for (size_t more = 0; more < 2; more++) {
            struct buf members = BUF_EMPTY;
            buf_printf(&members, "\"%s\":\"%0*d\"", fields[i].key, (int)(fields[i].longest + more),
                       0);
            buf_append_char(&members, '\0');
            char expected[100];
            snprintf(expected, sizeof(expected), "%s: longer than %zu bytes", fields[i].key,
                     fields[i].longest);
            struct field_case c = {members.data, TRACE_RELEASE, NULL, more ? expected : NULL};
            check(ROW_TRACE, &c);
            buf_finish(&members);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_of_a_trace),
        cmocka_unit_test(wrong_members_of_a_trace_are_named),
        cmocka_unit_test(members_of_an_observation),
        cmocka_unit_test(wrong_members_of_an_observation_are_named),
        cmocka_unit_test(usage_counts_where_the_observation_is_silent),
        cmocka_unit_test(the_last_of_a_repeated_key_counts),
        cmocka_unit_test(ids_are_uuids_in_any_form),
        cmocka_unit_test(long_texts_are_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
