/* otlp_trace, otlp_metadata, bare_traces: what spans say of their trace, metadata, and the versions
 * of all rows, by contract/langfuse.md sections 3.1, 3.2, 3.6. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "otlp_cases.h"

#define CHILD "\"name\":\"child\",\"parentSpanId\":\"00f067aa0ba902b8\","

#define SAID(column, attributes, expected)                                                         \
    {                                                                                              \
        attributes, IN_TRACE, TRACE_##column, expected, NULL, NULL, NULL                           \
    }
#define SAID_BY_CHILD(column, attributes, expected)                                                \
    {                                                                                              \
        attributes, IN_TRACE, TRACE_##column, expected, NULL, NULL, CHILD                          \
    }
#define DERIVED(column, attributes, expected, more)                                                \
    {                                                                                              \
        attributes, IN_TRACE_DERIVED, TRACE_##column, expected, NULL, NULL, more                   \
    }

static void fields_of_the_trace(void **state)
{
    static const struct otlp_case cases[] = {
        SAID(USER_ID, "{\"user.id\":\"b\",\"langfuse.user.id\":\"a\"}", "a"),
        SAID(USER_ID, "{\"user.id\":17}", "17"),
        SAID(USER_ID, "{\"langfuse.observation.metadata.langfuse_user_id\":\"c\"}", "c"),
        SAID(USER_ID, "{\"langfuse.trace.metadata.langfuse_user_id\":\"d\"}", "d"),
        SAID(USER_ID, "{\"ai.telemetry.metadata.userId\":\"e\"}", "e"),
        SAID(SESSION_ID, "{\"session.id\":\"b\",\"gen_ai.conversation.id\":\"c\"}", "b"),
        SAID(SESSION_ID, "{\"gen_ai.conversation.id\":\"c\"}", "c"),
        SAID_BY_CHILD(SESSION_ID, "{\"gen_ai.conversation.id\":\"c\"}", NULL),
        SAID_BY_CHILD(SESSION_ID, "{\"gen_ai.conversation.id\":\"c\",\"user.id\":\"u\"}", "c"),
        SAID(TAGS_ADDED, "{\"langfuse.trace.tags\":[\"a\",\"b\",7]}", "[\"a\",\"b\",\"7\"]"),
        SAID(TAGS_ADDED, "{\"langfuse.tags\":\"[\\\"a\\\",\\\"b\\\"]\"}", "[\"a\",\"b\"]"),
        SAID(TAGS_ADDED, "{\"tag.tags\":\"a, b,,c\"}", "[\"a\",\"b\",\"c\"]"),
        SAID(TAGS_ADDED, "{\"ai.telemetry.metadata.tags\":\"one\"}", "[\"one\"]"),
        SAID(TAGS_ADDED, "{\"langfuse.trace.tags\":[]}", NULL),
        SAID(PUBLIC, "{\"langfuse.trace.public\":true}", "1"),
        SAID(PUBLIC, "{\"langfuse.public\":\"true\"}", "1"),
        SAID(PUBLIC, "{\"langfuse.trace.public\":\"yes\"}", NULL),
        SAID(RELEASE, "{\"langfuse.release\":\"r\"}", "r"),
        SAID(VERSION, "{\"langfuse.version\":\"v\"}", "v"),
        SAID(NAME, "{\"langfuse.trace.name\":\"t\"}", "t"),
        SAID(INPUT, "{\"langfuse.trace.input\":\"{\\\"q\\\":1}\"}", "{\"q\":1}"),
        SAID_BY_CHILD(NAME, "{\"langfuse.trace.name\":\"t\"}", "t"),
        SAID_BY_CHILD(NAME, "{\"user.id\":\"u\"}", NULL),
        SAID_BY_CHILD(USER_ID, "{\"input\":\"i\"}", NULL),
        {NULL, IN_TRACE, TRACE_RELEASE, "r", NULL, "{\"langfuse.release\":\"r\"}", NULL},
        {NULL, IN_TRACE, TRACE_VERSION, "1.2", NULL, "{\"service.version\":\"1.2\"}", NULL},
        {NULL, IN_OBSERVATION, OBSERVATION_VERSION, "1.2", NULL, "{\"service.version\":\"1.2\"}",
         CHILD},
    };
    OTLP_CHECK_ALL(cases);
}

static void only_a_root_gives_its_name_input_and_output(void **state)
{
    static const struct otlp_case cases[] = {
        DERIVED(NAME, NULL, "span", NULL),
        DERIVED(NAME, NULL, NULL, CHILD),
        DERIVED(INPUT, "{\"input\":\"i\"}", "\"i\"", NULL),
        DERIVED(INPUT, "{\"input\":\"i\"}", NULL, CHILD),
        DERIVED(OUTPUT, "{\"output\":\"o\",\"user.id\":\"u\"}", NULL, CHILD),
        DERIVED(NAME, "{\"langfuse.internal.as_root\":true}", "child", CHILD),
        DERIVED(NAME, "{\"langfuse.internal.is_app_root\":true}", NULL, CHILD),
        DERIVED(NAME, NULL, "span", "\"name\":\"span\",\"parentSpanId\":\"0000000000000000\","),
        DERIVED(TIMESTAMP, NULL, "1767225600000000", CHILD),
    };
    OTLP_CHECK_ALL(cases);
}

#define ENVIRONMENT_OF(attributes, resource, expected)                                             \
    {                                                                                              \
        attributes, IN_OBSERVATION, OBSERVATION_ENVIRONMENT, expected, NULL, resource, NULL        \
    }

static void environments(void **state)
{
    static const struct otlp_case cases[] = {
        ENVIRONMENT_OF(NULL, NULL, NULL),
        ENVIRONMENT_OF("{\"langfuse.environment\":\"Prod\"}", NULL, "prod"),
        ENVIRONMENT_OF("{\"langfuse.environment\":\"langfuse-Test_1\"}", NULL, "test_1"),
        ENVIRONMENT_OF("{\"langfuse.environment\":\"langfuse\"}", NULL, "default"),
        ENVIRONMENT_OF("{\"langfuse.environment\":\"a b\"}", NULL, "default"),
        ENVIRONMENT_OF("{\"langfuse.environment\":5}", NULL, "default"),
        ENVIRONMENT_OF("{\"langfuse.environment\":\"\"}", "{\"langfuse.environment\":\"b\"}", "b"),
        ENVIRONMENT_OF("{\"langfuse.environment\":\"0123456789012345678901234567890123456789xyz\"}",
                       NULL, "0123456789012345678901234567890123456789"),
        ENVIRONMENT_OF("{\"deployment.environment\":\"span\"}",
                       "{\"deployment.environment.name\":\"resource\"}", "resource"),
        ENVIRONMENT_OF("{\"deployment.environment\":\"span\"}",
                       "{\"deployment.environment\":\"resource\"}", "span"),
        {NULL, IN_TRACE, TRACE_ENVIRONMENT, "prod", NULL, "{\"langfuse.environment\":\"prod\"}",
         NULL},
        {NULL, IN_TRACE_DERIVED, TRACE_ENVIRONMENT, "prod", NULL,
         "{\"langfuse.environment\":\"prod\"}", CHILD},
    };
    OTLP_CHECK_ALL(cases);
}

static void metadata(void **state)
{
    static const char own[] = "{\"langfuse.observation.metadata\":\"{\\\"a\\\":1}\","
                              "\"langfuse.observation.metadata.b\":\"{\\\"c\\\":[2]}\","
                              "\"langfuse.metadata.d\":\"text\","
                              "\"ai.telemetry.metadata.e\":true,"
                              "\"ai.telemetry.metadata.userId\":\"u\"}";
    static const char of_trace[] = "{\"langfuse.trace.metadata\":\"{\\\"a\\\":1}\","
                                   "\"langfuse.trace.metadata.b\":\"7\",\"x\":1}";
    static const struct otlp_case cases[] = {
        {NULL, IN_OBSERVATION, OBSERVATION_METADATA, NULL, NULL, NULL, NULL},
        {own, IN_OBSERVATION, OBSERVATION_METADATA,
         "{\"a\":1,\"e\":true,\"d\":\"text\",\"b\":{\"c\":[2]}}", NULL, NULL, NULL},
        {"{\"langfuse.observation.metadata\":\"[1]\"}", IN_OBSERVATION, OBSERVATION_METADATA,
         "{\"metadata\":[1]}", NULL, NULL, NULL},
        /* What is left, with its types. */
        {"{\"i\":1,\"d\":0.5,\"b\":true,\"s\":\"{}\",\"l\":[\"a\",1],\"m\":{\"k\":null}}",
         IN_OBSERVATION, OBSERVATION_METADATA,
         "{\"attributes\":{\"i\":1,\"d\":0.5,\"b\":true,\"s\":\"{}\",\"l\":[\"a\",1],\"m\":{\"k\":"
         "null}},\"resourceAttributes\":{\"r\":1},\"scope\":{\"name\":\"sc\",\"attributes\":{}}}",
         "sc", "{\"r\":1}", NULL},
        /* What became input is not repeated; what was mapped otherwise is. */
        {"{\"input.value\":\"i\",\"user.id\":\"u\"}", IN_OBSERVATION, OBSERVATION_METADATA,
         "{\"attributes\":{\"user.id\":\"u\"}}", NULL, NULL, NULL},
        /* Langfuse's own attributes are understood, the application's are kept. */
        {"{\"langfuse.observation.level\":\"ERROR\",\"user.id\":\"u\",\"app\":1,"
         "\"langfuse.internal.is_app_root\":true}",
         IN_OBSERVATION, OBSERVATION_METADATA,
         "{\"attributes\":{\"app\":1,\"langfuse.internal.is_app_root\":true},"
         "\"scope\":{\"name\":\"langfuse-sdk\",\"attributes\":{}}}",
         "langfuse-sdk", NULL, NULL},
        {of_trace, IN_OBSERVATION, OBSERVATION_METADATA, "{\"attributes\":{\"x\":1}}", NULL, NULL,
         CHILD},
        {of_trace, IN_TRACE, TRACE_METADATA, "{\"a\":1,\"b\":7}", NULL, NULL, CHILD},
        {of_trace, IN_TRACE, TRACE_METADATA,
         "{\"z\":0,\"a\":1,\"b\":7,\"attributes\":{\"x\":1},\"resourceAttributes\":{"
         "\"langfuse.trace.metadata\":{\"z\":0}}}",
         NULL, "{\"langfuse.trace.metadata\":{\"z\":0}}", NULL},
        {"{\"langfuse.observation.metadata.o\":1}", IN_TRACE, TRACE_METADATA, "{\"o\":1}", NULL,
         NULL, NULL},
        {"{\"user.id\":\"u\"}", IN_TRACE, TRACE_METADATA, "{\"k\":\"r\"}", NULL,
         "{\"langfuse.trace.metadata.k\":\"r\"}", CHILD},
        {"{\"langfuse.trace.metadata.k\":\"s\"}", IN_TRACE, TRACE_METADATA,
         "{\"k\":\"r\",\"k\":\"s\"}", NULL, "{\"langfuse.trace.metadata.k\":\"r\"}", CHILD},
    };
    OTLP_CHECK_ALL(cases);
}

#define AN_EVENT                                                                                   \
    "\"name\":\"child\",\"parentSpanId\":\"00f067aa0ba902b8\",\"events\":[{\"name\":\"e\"}],"

/* Keys that metadata has already: the attribute stays one. */
static void metadata_that_clashes(void **state)
{
    static const char scope[] = "{\"langfuse.observation.metadata.scope\":\"billing\","
                                "\"langfuse.observation.metadata.a\":1}";
    static const char whole[] =
        "{\"langfuse.observation.metadata\":\"{\\\"scope\\\":1,\\\"a\\\":2}\"}";
    static const char events[] = "{\"langfuse.observation.metadata.events\":3,"
                                 "\"langfuse.observation.metadata.span\":4}";
    static const char of_trace[] = "{\"langfuse.trace.metadata.attributes\":5}";
    static const struct otlp_case cases[] = {
        {scope, IN_OBSERVATION, OBSERVATION_METADATA,
         "{\"a\":1,\"attributes\":{\"langfuse.observation.metadata.scope\":\"billing\"},"
         "\"scope\":{\"name\":\"langfuse-sdk\",\"attributes\":{}}}",
         "langfuse-sdk", NULL, NULL},
        {whole, IN_OBSERVATION, OBSERVATION_METADATA,
         "{\"a\":2,\"attributes\":{\"langfuse.observation.metadata\":\"{\\\"scope\\\":1,\\\"a\\\":"
         "2}\"}}",
         NULL, NULL, NULL},
        {events, IN_OBSERVATION, OBSERVATION_METADATA, "{\"events\":3,\"span\":4}", NULL, NULL,
         CHILD},
        {events, IN_OBSERVATION, OBSERVATION_METADATA,
         "{\"span\":4,\"events\":[{\"name\":\"e\",\"timeUnixNano\":\"0\",\"attributes\":{}}],"
         "\"attributes\":{\"langfuse.observation.metadata.events\":3}}",
         NULL, NULL, AN_EVENT},
        {of_trace, IN_OBSERVATION, OBSERVATION_METADATA,
         "{\"attributes\":{\"langfuse.trace.metadata.attributes\":5}}", NULL, NULL, CHILD},
        {of_trace, IN_TRACE, TRACE_METADATA,
         "{\"attributes\":{\"langfuse.trace.metadata.attributes\":5}}", NULL, NULL, NULL},
    };
    OTLP_CHECK_ALL(cases);
}

#define SPAN(span, parent, start, end, attributes)                                                 \
    "{\"traceId\":\"" OTLP_TRACE "\",\"spanId\":\"" span "\",\"parentSpanId\":\"" parent           \
    "\",\"name\":\"" span "\",\"startTimeUnixNano\":\"" start "000\",\"endTimeUnixNano\":\"" end   \
    "000\",\"attributes\":[" attributes "]}"
#define ENVIRONMENT(value)                                                                         \
    "{\"key\":\"langfuse.environment\",\"value\":{\"stringValue\":\"" value "\"}}"
#define EXPORT(spans) "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[" spans "]}]}]}"

static void versions_come_from_the_spans_own_times(void **state)
{
    static const char text[] =
        EXPORT(SPAN("00000000000000aa", "00000000000000ff", "2000", "5000", "") "," SPAN(
            "00000000000000bb", "", "1000", "9000",
            "") "," SPAN("00000000000000cc", "00000000000000ff", "1500", "1400",
                         ENVIRONMENT("one")) "," SPAN("00000000000000dd", "00000000000000ff",
                                                      "1500", "0", ENVIRONMENT("two")));
    struct decoded d;
    otlp_open_json(&d, text, strlen(text));
    assert_int_equal(d.err, ERR_OK);
    assert_int_equal(d.collect.row_count, 8);
    static const struct {
        int kind;
        bool weak;
        int64_t time;
    } rows[] = {
        {ROW_OBSERVATION, false, 5000}, {ROW_OBSERVATION, false, 9000},
        {ROW_TRACE, false, 9000},       /* said by the root */
        {ROW_TRACE, true, 1000},        /* derived from it */
        {ROW_OBSERVATION, false, 1500}, /* ends before it starts */
        {ROW_OBSERVATION, false, 1500}, /* does not end */
        {ROW_TRACE, true, 1000},        /* bare */
        {ROW_TRACE, true, 1500},        /* the first environment */
    };
    for (size_t i = 0; i < 8; i++) {
        int64_t version = rows[i].weak ? version_weak(rows[i].time) : version_event(rows[i].time);
        assert_int_equal(d.rows[i].kind, rows[i].kind);
        assert_int_equal(d.rows[i].version, version);
    }
    assert_string_equal(decoded_value(&d, &d.rows[4], OBSERVATION_END_TIME), "1500");
    assert_string_equal(decoded_value(&d, &d.rows[5], OBSERVATION_END_TIME), "1500");
    assert_string_equal(decoded_value(&d, &d.rows[6], TRACE_TIMESTAMP), "1000");
    assert_null(decoded_value(&d, &d.rows[6], TRACE_ENVIRONMENT));
    assert_string_equal(decoded_value(&d, &d.rows[7], TRACE_ENVIRONMENT), "two");
    decoded_close(&d);
}

static void times_that_are_missing_are_now(void **state)
{
    static const char text[] = EXPORT(SPAN("00000000000000aa", "", "0", "0", ""));
    struct decoded d;
    otlp_open_json(&d, text, strlen(text));
    assert_string_equal(decoded_value(&d, &d.rows[0], OBSERVATION_START_TIME), "1750000000000000");
    assert_string_equal(decoded_value(&d, &d.rows[0], OBSERVATION_END_TIME), "1750000000000000");
    decoded_close(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_of_the_trace),
        cmocka_unit_test(only_a_root_gives_its_name_input_and_output),
        cmocka_unit_test(environments),
        cmocka_unit_test(metadata),
        cmocka_unit_test(metadata_that_clashes),
        cmocka_unit_test(versions_come_from_the_spans_own_times),
        cmocka_unit_test(times_that_are_missing_are_now),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
