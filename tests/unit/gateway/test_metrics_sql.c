/* metrics_sql: a query becomes one statement with the joins that it needs and no others; what a request says
 * is bound. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/read/metrics_sql.h"
#include "gateway/read/read.h"

#define QUERY(view, members)                                                                       \
    "{\"view\":\"" view "\",\"fromTimestamp\":\"2026-01-01T00:00:00Z\",\"toTimestamp\":"           \
    "\"2026-01-03T00:00:00Z\"," members "}"
#define COUNT "\"metrics\":[{\"measure\":\"count\",\"aggregation\":\"count\"}]"

struct made {
    struct arena arena;
    struct read read;
    struct buf sql;
};

static const char *sql_of(void **state, const char *json)
{
    struct made *made = *state;
    struct metrics_request request;
    struct error error = {""};
    made->read = (struct read){.arena = &made->arena};
    buf_reset(&made->sql);
    read_bind_text(&made->read, "project");
    assert_int_equal(metrics_parse(json, 1, &made->arena, &request, &error), ERR_OK);
    assert_int_equal(metrics_sql(&made->read, &request, &made->sql, &error), ERR_OK);
    buf_append_char(&made->sql, '\0');
    return made->sql.data;
}

static const char *value(void **state, int number)
{
    struct made *made = *state;
    assert_true(number <= made->read.value_count);
    return made->read.values[number - 1];
}

static bool has(const char *sql, const char *piece)
{
    return strstr(sql, piece) != NULL;
}

static int set_up(void **state)
{
    static struct made made; /* empty */
    *state = &made;
    return 0;
}

static int tear_down(void **state)
{
    struct made *made = *state;
    buf_finish(&made->sql);
    arena_finish(&made->arena);
    return 0;
}

static void a_count_looks_at_one_table_only(void **state)
{
    assert_string_equal(
        sql_of(state, QUERY("observations", COUNT)),
        "WITH groups AS MATERIALIZED (SELECT count((1)) AS m0 FROM observations o"
        " WHERE o.project_id = $1 AND coalesce(o.start_time, o.created_at) >= $2::timestamptz"
        " AND coalesce(o.start_time, o.created_at) <= $3::timestamptz)"
        " SELECT json_build_object('count_count', g.m0) AS row, NULL::json AS meta FROM groups g"
        " ORDER BY g.m0 DESC NULLS LAST");
    assert_string_equal(value(state, 1), "project");
    assert_string_equal(value(state, 2), "2026-01-01T00:00:00.000000Z");
    assert_string_equal(value(state, 3), "2026-01-03T00:00:00.000000Z");
}

static void groups_come_in_the_order_they_were_asked_for(void **state)
{
    assert_string_equal(
        sql_of(state,
               QUERY("traces", "\"dimensions\":[{\"field\":\"userId\"},{\"field\":\"name\"}],"
                               "\"orderBy\":[{\"field\":\"name\",\"direction\":\"desc\"}],"
                               "\"config\":{\"row_limit\":5}," COUNT)),
        "WITH groups AS MATERIALIZED (SELECT t.user_id AS d0, t.name AS d1, count((1)) AS m0"
        " FROM traces t WHERE t.project_id = $1 AND t.timestamp >= $2::timestamptz"
        " AND t.timestamp <= $3::timestamptz GROUP BY 1, 2)"
        " SELECT json_build_object('userId', g.d0, 'name', g.d1, 'count_count', g.m0) AS row,"
        " NULL::json AS meta FROM groups g"
        " ORDER BY g.d1 DESC NULLS LAST, g.d0 ASC NULLS LAST, g.d1 ASC NULLS LAST LIMIT "
        "$4::bigint");
    assert_string_equal(value(state, 4), "5");
}

static void empty_buckets_are_filled_unless_there_is_an_order(void **state)
{
    const char *sql =
        sql_of(state, QUERY("traces", "\"timeDimension\":{\"granularity\":\"week\"}," COUNT));
    assert_true(has(sql, "SELECT date_trunc('week', t.timestamp) AS time"));
    assert_true(has(sql, "generate_series(date_trunc('week', $2::timestamptz)"));
    assert_true(has(sql, "interval '1 week'"));
    sql = sql_of(state,
                 QUERY("traces", "\"timeDimension\":{\"granularity\":\"week\"},\"orderBy\":"
                                 "[{\"field\":\"count_count\",\"direction\":\"asc\"}]," COUNT));
    assert_false(has(sql, "generate_series"));
}

static void only_what_is_needed_is_joined(void **state)
{
    const char *sql = sql_of(state, QUERY("traces", COUNT));
    assert_false(has(sql, "JOIN"));
    sql = sql_of(state, QUERY("traces", "\"metrics\":[{\"measure\":\"scoresCount\","
                                        "\"aggregation\":\"sum\"}]"));
    assert_true(has(sql, "JOIN scores x"));
    assert_false(has(sql, "observations"));
    sql = sql_of(state, QUERY("observations", "\"dimensions\":[{\"field\":\"tags\"}]," COUNT));
    assert_true(has(sql, "LEFT JOIN traces t"));
    sql = sql_of(state, QUERY("scores-numeric", "\"dimensions\":[{\"field\":\"name\"}]," COUNT));
    assert_false(has(sql, "JOIN"));
}

static void a_filter_brings_its_own_join_and_binds_what_it_says(void **state)
{
    const char *sql =
        sql_of(state, QUERY("scores-boolean",
                            "\"filters\":[{\"type\":\"string\",\"column\":"
                            "\"observationName\",\"operator\":\"=\",\"value\":\"'; --\"}],"
                            "\"metrics\":[{\"measure\":\"value\",\"aggregation\":"
                            "\"histogram\"}]"));
    assert_true(has(sql, "LEFT JOIN observations o"));
    assert_false(has(sql, "LEFT JOIN traces"));
    assert_true(has(sql, " AND s.data_type = 'BOOLEAN' AND ((o.name) = $4::text))"));
    assert_string_equal(value(state, 4), "'; --");
    assert_string_equal(value(state, 5), "10"); /* bins */
}

static void what_rows_have_many_of_is_looked_for_only_where_the_filters_hold(void **state)
{
    const char *sql = sql_of(
        state, QUERY("observations", "\"filters\":[{\"type\":\"string\",\"column\":\"userId\","
                                     "\"operator\":\"=\",\"value\":\"ann\"}],\"metrics\":["
                                     "{\"measure\":\"countScores\",\"aggregation\":\"sum\"}]"));
    const char *inner = strstr(sql, "(t.user_id) = $4::text");
    assert_non_null(inner);
    assert_non_null(strstr(inner + 1, "(t.user_id) = $4::text"));
    assert_non_null(
        strstr(sql, "(SELECT DISTINCT o.trace_id FROM observations o LEFT JOIN traces t"));
    assert_int_equal(((struct made *)*state)->read.value_count, 4);
}

static void a_wrong_filter_is_told(void **state)
{
    struct made *made = *state;
    struct metrics_request request;
    struct error error = {""};
    made->read = (struct read){.arena = &made->arena};
    assert_int_equal(
        metrics_parse(QUERY("traces", "\"filters\":[{\"type\":\"string\",\"column\":"
                                      "\"x\",\"operator\":\"=\",\"value\":\"\"}]," COUNT),
                      1, &made->arena, &request, &error),
        ERR_OK);
    assert_int_equal(metrics_sql(&made->read, &request, &made->sql, &error), ERR_INVALID);
    assert_string_equal(error.text, "filter[0].column: unknown: x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_count_looks_at_one_table_only),
        cmocka_unit_test(groups_come_in_the_order_they_were_asked_for),
        cmocka_unit_test(empty_buckets_are_filled_unless_there_is_an_order),
        cmocka_unit_test(only_what_is_needed_is_joined),
        cmocka_unit_test(a_filter_brings_its_own_join_and_binds_what_it_says),
        cmocka_unit_test(what_rows_have_many_of_is_looked_for_only_where_the_filters_hold),
        cmocka_unit_test(a_wrong_filter_is_told),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
