/* client/encode.c: structs -> JSON, and what is refused before anything is sent. */
#include "client/encode.h"

#include <locale.h>
#include <math.h>

#include "tests/client/support.h"

static void check_trace(const struct xtrace_trace *trace, const char *expected)
{
    struct xtrace_text text = XTRACE_TEXT_EMPTY;
    struct xtrace_error error;
    assert_int_equal(xtrace_encode_trace(&text, trace, &error), XTRACE_OK);
    assert_string_equal(text.data, expected);
    xtrace_text_finish(&text);
}

static void what_is_not_set_is_not_sent(void **state)
{
    struct xtrace_trace trace = support_trace();
    check_trace(&trace, "{\"id\":\"" TRACE_ID "\"}");
}

static void a_full_trace_has_every_field(void **state)
{
    static const char *const tags[] = {"prod", "q\"uote"};
    struct xtrace_trace trace = support_trace();
    trace.timestamp_us = 1767225600123456;
    trace.name = "";
    trace.user_id = "u";
    trace.session_id = "s";
    trace.release = "r";
    trace.version = "v";
    trace.environment = "e";
    trace.external_id = "x";
    trace.input_json = "{\"n\":12345678901234567890.50}";
    trace.output_text = "hi\n";
    trace.metadata_json = "null";
    trace.tags = tags;
    trace.tag_count = 2;
    trace.is_public = XTRACE_YES;
    trace.is_bookmarked = XTRACE_NO;
    trace.latency_s = 0;
    trace.total_cost = 0.1;
    check_trace(
        &trace,
        "{\"id\":\"" TRACE_ID "\",\"timestamp\":\"2026-01-01T00:00:00.123456Z\",\"name\":\"\","
        "\"userId\":\"u\",\"sessionId\":\"s\",\"release\":\"r\",\"version\":\"v\","
        "\"environment\":\"e\",\"externalId\":\"x\",\"input\":{\"n\":12345678901234567890.50},"
        "\"output\":\"hi\\n\",\"metadata\":null,\"public\":true,\"bookmarked\":false,"
        "\"latency\":0,\"totalCost\":0.1,\"tags\":[\"prod\",\"q\\\"uote\"]}");
}

static void an_observation_keeps_its_numbers(void **state)
{
    struct xtrace_observation o = support_observation();
    o.prompt_tokens = 0;
    o.total_tokens = INT64_MAX;
    o.calculated_total_cost = 1.0 / 3.0;
    o.input_price = 1e-7;
    struct xtrace_text text = XTRACE_TEXT_EMPTY;
    assert_int_equal(xtrace_encode_observation(&text, &o, NULL), XTRACE_OK);
    assert_string_equal(text.data,
                        "{\"id\":\"" OBSERVATION_ID "\",\"traceId\":\"" TRACE_ID
                        "\",\"promptTokens\":0,\"totalTokens\":9223372036854775807,"
                        "\"inputPrice\":1e-07,\"calculatedTotalCost\":0.3333333333333333}");
    xtrace_text_finish(&text);
}

static void the_decimal_point_does_not_follow_the_locale(void **state)
{
    struct xtrace_metric metric = support_metric();
    struct xtrace_text text = XTRACE_TEXT_EMPTY;
    (void)setlocale(LC_ALL, "de_DE.UTF-8"); /* where there is none the test shows less */
    assert_int_equal(xtrace_encode_metric(&text, &metric, NULL), XTRACE_OK);
    (void)setlocale(LC_ALL, "C");
    assert_non_null(strstr(text.data, "\"value\":0.5"));
    xtrace_text_finish(&text);
}

static void check_refused_trace(const struct xtrace_trace *trace, const char *words)
{
    struct xtrace_text text = XTRACE_TEXT_EMPTY;
    struct xtrace_error error;
    assert_int_equal(xtrace_encode_trace(&text, trace, &error), XTRACE_INVALID);
    assert_non_null(strstr(error.text, words));
    xtrace_text_finish(&text);
}

static void what_cannot_be_sent_is_named(void **state)
{
    struct xtrace_trace trace = support_trace();
    trace.id = NULL;
    check_refused_trace(&trace, "id: required");
    trace = support_trace();
    trace.input_json = "{broken";
    check_refused_trace(&trace, "input: not one JSON value");
    trace.input_json = "{} {}";
    check_refused_trace(&trace, "input");
    trace = support_trace();
    trace.output_json = "1";
    trace.output_text = "1";
    check_refused_trace(&trace, "output: both");
    trace = support_trace();
    trace.latency_s = INFINITY;
    check_refused_trace(&trace, "latency: not finite");
    trace = support_trace();
    trace.timestamp_us = INT64_MAX;
    check_refused_trace(&trace, "timestamp");
    trace = support_trace();
    trace.size = 0;
    check_refused_trace(&trace, "xtrace_trace_init");
}

static void a_batch_names_the_place_of_what_is_wrong(void **state)
{
    struct xtrace_observation observations[] = {support_observation(), support_observation()};
    struct xtrace_error error;
    struct xtrace_text text = XTRACE_TEXT_EMPTY;
    observations[1].metadata_json = "[";
    assert_int_equal(xtrace_encode_batch(&text, NULL, observations, 2, &error), XTRACE_INVALID);
    assert_non_null(strstr(error.text, "observations[1].metadata"));
    xtrace_text_finish(&text);
}

static void a_batch_holds_trace_and_observations(void **state)
{
    struct xtrace_trace trace = support_trace();
    struct xtrace_observation observation = support_observation();
    struct xtrace_text text = XTRACE_TEXT_EMPTY;
    assert_int_equal(xtrace_encode_batch(&text, &trace, &observation, 1, NULL), XTRACE_OK);
    assert_string_equal(text.data, "{\"trace\":{\"id\":\"" TRACE_ID
                                   "\"},\"observations\":[{\"id\":\"" OBSERVATION_ID
                                   "\",\"traceId\":\"" TRACE_ID "\"}]}");
    xtrace_text_finish(&text);
    assert_int_equal(xtrace_encode_batch(&text, NULL, NULL, 0, NULL), XTRACE_OK);
    assert_string_equal(text.data, "{\"observations\":[]}");
    xtrace_text_finish(&text);
}

/* A program compiled against a later header has longer structs; their tail is not known here. */
struct later_observation {
    struct xtrace_observation known;
    const char *unknown;
};

static void structs_of_a_later_version_are_understood(void **state)
{
    struct later_observation later[2];
    for (int i = 0; i < 2; i++) {
        later[i].known = support_observation();
        later[i].known.size = sizeof(later[i]);
        later[i].unknown = "x";
    }
    later[1].known.name = "second";
    struct xtrace_text text = XTRACE_TEXT_EMPTY;
    assert_int_equal(xtrace_encode_batch(&text, NULL, &later[0].known, 2, NULL), XTRACE_OK);
    assert_non_null(strstr(text.data, "\"name\":\"second\""));
    xtrace_text_finish(&text);
}

static void a_metric_has_labels_and_a_time(void **state)
{
    static const struct xtrace_label labels[] = {{"node", "n1"}, {"k\"", ""}};
    struct xtrace_metric metric = support_metric();
    metric.labels = labels;
    metric.label_count = 2;
    struct xtrace_text text = XTRACE_TEXT_EMPTY;
    assert_int_equal(xtrace_encode_metrics(&text, &metric, 1, NULL), XTRACE_OK);
    assert_string_equal(
        text.data, "{\"metrics\":[{\"name\":\"gpu\",\"labels\":{\"node\":\"n1\",\"k\\\"\":\"\"},"
                   "\"value\":0.5,\"timestamp\":\"2026-01-01T00:00:00.000000Z\"}]}");
    xtrace_text_finish(&text);
    metric.value = NAN;
    struct xtrace_error error;
    assert_int_equal(xtrace_encode_metrics(&text, &metric, 1, &error), XTRACE_INVALID);
    assert_non_null(strstr(error.text, "metrics[0].value"));
    xtrace_text_finish(&text);
}

static void ids_are_random_uuids(void **state)
{
    char first[XTRACE_ID_SIZE], second[XTRACE_ID_SIZE];
    xtrace_new_id(first);
    xtrace_new_id(second);
    assert_int_equal(strlen(first), 36);
    assert_int_equal(first[14], '4');
    assert_non_null(strchr("89ab", first[19]));
    assert_string_not_equal(first, second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_set_is_not_sent),
        cmocka_unit_test(a_full_trace_has_every_field),
        cmocka_unit_test(an_observation_keeps_its_numbers),
        cmocka_unit_test(the_decimal_point_does_not_follow_the_locale),
        cmocka_unit_test(what_cannot_be_sent_is_named),
        cmocka_unit_test(a_batch_names_the_place_of_what_is_wrong),
        cmocka_unit_test(a_batch_holds_trace_and_observations),
        cmocka_unit_test(structs_of_a_later_version_are_understood),
        cmocka_unit_test(a_metric_has_labels_and_a_time),
        cmocka_unit_test(ids_are_random_uuids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
