/* metrics_parse: the query of the metrics routes becomes a struct; what is wrong is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/read/metrics_parse.h"

#define RANGE          "\"fromTimestamp\":\"2026-01-01T00:00:00Z\",\"toTimestamp\":\"2026-01-03T00:00:00Z\""
#define COUNT          "\"metrics\":[{\"measure\":\"count\",\"aggregation\":\"count\"}]"
#define QUERY(members) "{\"view\":\"observations\"," COUNT "," RANGE members "}"

struct parsed {
    struct arena arena;
    struct metrics_request request;
    enum err err;
    struct error error;
};

static struct parsed *parse(void **state, const char *json, int version)
{
    struct parsed *parsed = *state;
    parsed->error.text[0] = '\0';
    parsed->err = metrics_parse(json, version, &parsed->arena, &parsed->request, &parsed->error);
    return parsed;
}

static const struct metrics_request *request_of(void **state, const char *json)
{
    struct parsed *parsed = parse(state, json, 1);
    assert_string_equal(parsed->error.text, "");
    assert_int_equal(parsed->err, ERR_OK);
    return &parsed->request;
}

static void check_refused(void **state, const char *json, int version, const char *message)
{
    struct parsed *parsed = parse(state, json, version);
    assert_int_equal(parsed->err, ERR_INVALID);
    assert_string_equal(parsed->error.text, message);
}

static int set_up(void **state)
{
    static struct parsed parsed; /* empty */
    *state = &parsed;
    return 0;
}

static int tear_down(void **state)
{
    struct parsed *parsed = *state;
    arena_finish(&parsed->arena);
    parsed->arena = ARENA_EMPTY;
    return 0;
}

static void the_least_that_is_needed_is_enough(void **state)
{
    const struct metrics_request *request = request_of(state, QUERY());
    assert_string_equal(request->view->name, "observations");
    assert_int_equal(request->metric_count, 1);
    assert_int_equal(request->metrics[0].aggregation, METRICS_COUNT);
    assert_int_equal(request->dimension_count, 0);
    assert_int_equal(request->order_count, 0);
    assert_int_equal(request->granularity, METRICS_NO_TIME);
    assert_int_equal(request->bins, 10);
    assert_int_equal(request->row_limit, 0);
    assert_null(request->filters);
}

static void members_may_be_null_unknown_and_in_any_order(void **state)
{
    const struct metrics_request *request = request_of(
        state, "{\"orderBy\":null,\"dimensions\":[{\"x\":1,\"field\":\"name\"}],\"config\":null,"
               "\"filters\":null,\"page\":[1]," RANGE "," COUNT
               ",\"timeDimension\":null,\"view\":\"traces\"}");
    assert_string_equal(request->view->name, "traces");
    assert_string_equal(request->dimensions[0]->sql, "t.name");
}

static void of_a_repeated_member_the_last_counts(void **state)
{
    assert_string_equal(request_of(state, QUERY(",\"view\":\"traces\""))->view->name, "traces");
}

static void what_is_asked_for_twice_is_there_once(void **state)
{
    const struct metrics_request *request = request_of(
        state,
        QUERY(",\"dimensions\":[{\"field\":\"name\"},{\"field\":\"type\"},{\"field\":\"name\"}],"
              "\"metrics\":[{\"measure\":\"count\",\"aggregation\":\"sum\"},"
              "{\"measure\":\"count\",\"aggregation\":\"sum\"},"
              "{\"measure\":\"count\",\"aggregation\":\"avg\"}]"));
    assert_int_equal(request->dimension_count, 2);
    assert_int_equal(request->metric_count, 2);
}

static void filters_are_kept_as_text(void **state)
{
    const struct metrics_request *request =
        request_of(state, QUERY(",\"filters\": [ {\"a\": 1} ] "));
    assert_string_equal(request->filters, "[ {\"a\": 1} ]");
}

static void auto_chooses_by_the_length_of_the_range(void **state)
{
    static const struct {
        const char *to;
        enum metrics_granularity granularity;
    } cases[] = {
        {"2026-01-01T00:00:00.000001Z", METRICS_MINUTE}, {"2026-01-01T01:59:59Z", METRICS_MINUTE},
        {"2026-01-01T02:00:00Z", METRICS_HOUR},          {"2026-01-03T23:59:59Z", METRICS_HOUR},
        {"2026-01-04T00:00:00Z", METRICS_DAY},           {"2026-03-01T23:59:59Z", METRICS_DAY},
        {"2026-03-02T00:00:00Z", METRICS_WEEK},          {"2026-12-31T23:59:59Z", METRICS_WEEK},
        {"2027-01-01T00:00:00Z", METRICS_MONTH},         {"3026-01-01T00:00:00Z", METRICS_MONTH},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char json[400];
        snprintf(json, sizeof json,
                 QUERY(",\"toTimestamp\":\"%s\",\"timeDimension\":{\"granularity\":\"auto\"}"),
                 cases[i].to);
        assert_int_equal(request_of(state, json)->granularity, cases[i].granularity);
    }
}

static void an_order_is_of_time_a_dimension_or_a_metric(void **state)
{
    const struct metrics_request *request = request_of(
        state,
        QUERY(",\"timeDimension\":{\"granularity\":\"day\"},\"dimensions\":[{\"field\":\"name\"}],"
              "\"metrics\":[{\"measure\":\"latency\",\"aggregation\":\"p95\"},"
              "{\"measure\":\"totalCost\",\"aggregation\":\"sum\"}],\"orderBy\":["
              "{\"field\":\"sum_totalCost\",\"direction\":\"desc\"},"
              "{\"field\":\"time_dimension\",\"direction\":\"asc\"},"
              "{\"field\":\"name\",\"direction\":\"asc\"},"
              "{\"field\":\"latency\",\"direction\":\"desc\"}]"));
    assert_int_equal(request->order_count, 4);
    assert_int_equal(request->orders[0].by, METRICS_BY_METRIC);
    assert_int_equal(request->orders[0].index, 1);
    assert_true(request->orders[0].is_descending);
    assert_int_equal(request->orders[1].by, METRICS_BY_TIME);
    assert_int_equal(request->orders[2].by, METRICS_BY_DIMENSION);
    assert_int_equal(request->orders[3].by, METRICS_BY_METRIC);
    assert_int_equal(request->orders[3].index, 0);
    assert_false(request->is_filled);
}

static void what_is_wrong_is_named(void **state)
{
    check_refused(state, "[]", 1, "query: not a JSON object");
    check_refused(state, "", 1, "query: invalid JSON at byte 0: expected a value");
    check_refused(state, QUERY(",\"view\":\"nonsense\""), 1,
                  "view: must be one of traces, observations, scores-numeric, scores-categorical, "
                  "scores-boolean, not nonsense");
    check_refused(state, QUERY(",\"view\":[]"), 1, "view: not a string");
    check_refused(state, QUERY(",\"metrics\":[{\"measure\":\"cost\",\"aggregation\":\"sum\"}]"), 1,
                  "metrics[0].measure: Invalid metric cost, the view observations has none of that "
                  "name");
    check_refused(state, QUERY(",\"metrics\":[]"), 1, "metrics: at least one is needed");
    check_refused(
        state, QUERY(",\"dimensions\":[{\"field\":\"name\"},{\"field\":\"x\"}]"), 1,
        "dimensions[1].field: Invalid dimension x, the view observations has none of that "
        "name");
    check_refused(state, QUERY(",\"toTimestamp\":\"2026-01-01T01:00:00+01:00\""), 1,
                  "fromTimestamp: must be before toTimestamp");
    check_refused(state, QUERY(",\"config\":{\"bins\":101}"), 1,
                  "config.bins: must be an integer from 1 to 100");
    check_refused(
        state, QUERY(",\"orderBy\":[{\"field\":\"type\",\"direction\":\"asc\"}]"), 1,
        "orderBy[0].field: Invalid orderBy field type, none of the query's dimensions and "
        "metrics");
    check_refused(state,
                  QUERY(",\"metrics\":[{\"measure\":\"count\",\"aggregation\":\"histogram\"}],"
                        "\"orderBy\":[{\"field\":\"histogram_count\",\"direction\":\"asc\"}]"),
                  1, "orderBy[0].field: a histogram has no order");
    check_refused(state,
                  QUERY(",\"view\":\"scores-categorical\",\"metrics\":[{\"measure\":\"value\","
                        "\"aggregation\":\"sum\"}]"),
                  1,
                  "metrics[0].aggregation: sum is not for value of the view scores-categorical, "
                  "which is a text: count and uniq are");
}

static void version_2_has_no_traces_and_groups_by_no_ids(void **state)
{
    check_refused(state, QUERY(",\"view\":\"traces\""), 2,
                  "view: traces is not one of version 2; use observations, or /api/public/metrics");
    check_refused(state, QUERY(",\"dimensions\":[{\"field\":\"sessionId\"}]"), 2,
                  "dimensions[0].field: sessionId has a high cardinality; version 2 can filter by "
                  "it, not group by it");
    request_of(state, QUERY(",\"dimensions\":[{\"field\":\"sessionId\"}]"));
}

static void a_long_word_is_shown_in_part_and_whole_characters(void **state)
{
    char json[2000] = "{\"view\":\"";
    for (int i = 0; i < 300; i++) {
        strcat(json, "\xE2\x82\xAC");
    }
    strcat(json, "\"," COUNT "," RANGE "}");
    struct parsed *parsed = parse(state, json, 2);
    size_t len = strlen(parsed->error.text);
    assert_int_equal(parsed->err, ERR_INVALID);
    assert_string_equal(parsed->error.text + len - 6, "\xE2\x82\xAC\xE2\x82\xAC");
    assert_true(len < 300);
}

static void buckets_to_fill_are_bounded(void **state)
{
    struct parsed *parsed =
        parse(state,
              QUERY(",\"toTimestamp\":\"2026-02-04T17:21:00Z\",\"timeDimension\":"
                    "{\"granularity\":\"minute\"}"),
              1);
    assert_int_equal(parsed->err, ERR_TOO_HEAVY);
    parsed = parse(state,
                   QUERY(",\"toTimestamp\":\"2026-02-04T17:20:00Z\",\"timeDimension\":"
                         "{\"granularity\":\"minute\"}"),
                   1);
    assert_int_equal(parsed->err, ERR_OK);
    assert_true(parsed->request.is_filled);
}

static void lists_are_bounded(void **state)
{
    char json[16000] = "{\"view\":\"observations\"," RANGE ",\"metrics\":[";
    static const char *const measures[] = {"latency", "totalCost", "inputTokens"};
    for (int measure = 0; measure < 3; measure++) {
        for (int i = 0; i < METRICS_AGGREGATION_COUNT; i++) {
            size_t len = strlen(json);
            snprintf(json + len, sizeof json - len, "%s{\"measure\":\"%s\",\"aggregation\":\"%s\"}",
                     measure + i > 0 ? "," : "", measures[measure], metrics_aggregation_names[i]);
        }
    }
    strcat(json, "]}");
    check_refused(state, json, 1, "metrics: more than 25");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_least_that_is_needed_is_enough),
        cmocka_unit_test(members_may_be_null_unknown_and_in_any_order),
        cmocka_unit_test(of_a_repeated_member_the_last_counts),
        cmocka_unit_test(what_is_asked_for_twice_is_there_once),
        cmocka_unit_test(filters_are_kept_as_text),
        cmocka_unit_test(auto_chooses_by_the_length_of_the_range),
        cmocka_unit_test(an_order_is_of_time_a_dimension_or_a_metric),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(version_2_has_no_traces_and_groups_by_no_ids),
        cmocka_unit_test(a_long_word_is_shown_in_part_and_whole_characters),
        cmocka_unit_test(buckets_to_fill_are_bounded),
        cmocka_unit_test(lists_are_bounded),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
