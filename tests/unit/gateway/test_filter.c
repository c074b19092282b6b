/* filter: conditions become SQL of ours and bound values; what is wrong is named; nothing of the request is
 * in the SQL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/read/filter.h"
#include "gateway/read/read.h"

static const struct filter_column columns[] = {
    {"id", FILTER_TEXT, "t.id"},
    {"name", FILTER_SHORT_TEXT, "t.name"},
    {"startTime", FILTER_TIME, "t.time"},
    {"latency", FILTER_NUMBER, "t.latency"},
    {"public", FILTER_BOOL, "t.public"},
    {"tags", FILTER_TEXTS, "t.tags"},
    {"metadata", FILTER_OBJECT, "t.metadata"},
    {"latency", FILTER_TEXT, "t.latency_text"},
    {"words", FILTER_LISTS, "t.words"},
};

struct filtered {
    struct arena arena;
    struct read read;
    struct buf sql;
    uint64_t mask;
    enum err err;
    struct error error;
};

/* One value is bound before, as the project always is. */
static struct filtered *filter(void **state, const char *json)
{
    struct filtered *filtered = *state;
    buf_reset(&filtered->sql);
    filtered->read = (struct read){.arena = &filtered->arena};
    filtered->error.text[0] = '\0';
    read_bind_text(&filtered->read, "project");
    filtered->err = filter_append(&filtered->read, json, columns, sizeof columns / sizeof *columns,
                                  &filtered->sql, &filtered->mask, &filtered->error);
    buf_append_char(&filtered->sql, '\0');
    return filtered;
}

static const char *sql_of(void **state, const char *json)
{
    struct filtered *filtered = filter(state, json);
    assert_string_equal(filtered->error.text, "");
    assert_int_equal(filtered->err, ERR_OK);
    return filtered->sql.data;
}

static void check_refused(void **state, const char *json, const char *message)
{
    struct filtered *filtered = filter(state, json);
    assert_int_equal(filtered->err, ERR_INVALID);
    assert_string_equal(filtered->error.text, message);
}

static int set_up(void **state)
{
    static struct filtered filtered; /* empty */
    *state = &filtered;
    return 0;
}

static int tear_down(void **state)
{
    struct filtered *filtered = *state;
    buf_finish(&filtered->sql);
    arena_finish(&filtered->arena);
    return 0;
}

static void a_name_of_several_types_goes_by_that_of_the_condition(void **state)
{
    assert_string_equal(sql_of(state, "[{\"type\":\"number\",\"column\":\"latency\",\"operator\":"
                                      "\"=\",\"value\":1}]"),
                        " AND (((t.latency))::numeric = $2::numeric)");
    assert_string_equal(sql_of(state, "[{\"type\":\"string\",\"column\":\"latency\",\"operator\":"
                                      "\"=\",\"value\":\"1\"}]"),
                        " AND ((t.latency_text) = $2::text)");
}

static void no_conditions_add_nothing(void **state)
{
    assert_string_equal(sql_of(state, NULL), "");
    assert_string_equal(sql_of(state, "[]"), "");
    assert_int_equal(((struct filtered *)*state)->mask, 0);
    assert_int_equal(((struct filtered *)*state)->read.value_count, 1);
}

static void a_condition_is_sql_of_ours_and_a_bound_value(void **state)
{
    struct filtered *filtered = *state;
    assert_string_equal(sql_of(state, "[{\"type\":\"string\",\"column\":\"id\","
                                      "\"operator\":\"=\",\"value\":\"x' OR 1=1 --\"}]"),
                        " AND ((t.id) = $2::text)");
    assert_string_equal(filtered->read.values[1], "x' OR 1=1 --");
    assert_int_equal(filtered->mask, 1);
}

static void conditions_add_up_and_number_their_values(void **state)
{
    struct filtered *filtered = *state;
    assert_string_equal(
        sql_of(state, "[{\"column\":\"metadata\",\"key\":\"a\\\"b\",\"operator\":\"contains\","
                      "\"type\":\"stringObject\",\"value\":\"%_\"},"
                      "{\"type\":\"datetime\",\"column\":\"startTime\",\"operator\":\">=\","
                      "\"value\":\"2026-01-01T01:00:00+01:00\"}]"),
        " AND (strpos((t.metadata ->> $2::text), $3::text) > 0)"
        " AND ((t.time) >= $4::timestamptz)");
    assert_string_equal(filtered->read.values[1], "a\"b");
    assert_string_equal(filtered->read.values[2], "%_");
    assert_string_equal(filtered->read.values[3], "2026-01-01T00:00:00.000000Z");
    assert_int_equal(filtered->mask, 1 << 6 | 1 << 2);
}

static void short_texts_can_use_their_index(void **state)
{
    char json[1000], text[901];
    assert_string_equal(sql_of(state, "[{\"type\":\"stringOptions\",\"column\":\"name\","
                                      "\"operator\":\"any of\",\"value\":[\"a\",\"b\"]}]"),
                        " AND ((t.name) = ANY($2::text[]) AND octet_length((t.name)) <= 800)");
    memset(text, 'x', 900);
    text[900] = '\0';
    snprintf(json, sizeof json,
             "[{\"type\":\"string\",\"column\":\"name\",\"operator\":\"=\",\"value\":\"%s\"}]",
             text);
    assert_string_equal(sql_of(state, json), " AND ((t.name) = $2::text)");
}

static void options_are_arrays_also_when_empty(void **state)
{
    struct filtered *filtered = *state;
    assert_string_equal(sql_of(state, "[{\"type\":\"arrayOptions\",\"column\":\"tags\","
                                      "\"operator\":\"all of\",\"value\":[\"a,\\\"\",\"\"]}]"),
                        " AND ((t.tags) @> $2::text[])");
    assert_string_equal(filtered->read.values[1], "{\"a,\\\"\",\"\"}");
    sql_of(state, "[{\"type\":\"arrayOptions\",\"column\":\"tags\",\"operator\":\"any of\","
                  "\"value\":[]}]");
    assert_string_equal(filtered->read.values[1], "{}");
}

static void columns_are_found_in_every_spelling(void **state)
{
    static const char *const spellings[] = {"startTime", "start_time", "Start Time", "STARTTIME"};
    char json[200];
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        snprintf(json, sizeof json,
                 "[{\"type\":\"null\",\"column\":\"%s\",\"operator\":\"is null\",\"value\":\"\"}]",
                 spellings[i]);
        assert_string_equal(sql_of(state, json), " AND ((t.time) IS NULL)");
    }
}

static void null_fits_every_column_and_a_key(void **state)
{
    assert_string_equal(sql_of(state, "[{\"type\":\"null\",\"column\":\"tags\","
                                      "\"operator\":\"is null\"}]"),
                        " AND (coalesce(cardinality((t.tags)), 0) = 0)");
    assert_string_equal(sql_of(state, "[{\"type\":\"null\",\"column\":\"metadata\",\"key\":\"k\","
                                      "\"operator\":\"is not null\"}]"),
                        " AND ((t.metadata ->> $2::text) IS NOT NULL)");
    assert_string_equal(sql_of(state, "[{\"type\":\"null\",\"column\":\"metadata\","
                                      "\"operator\":\"is not null\"}]"),
                        " AND ((t.metadata) IS NOT NULL)");
}

static void a_key_is_set_or_not_whatever_the_value(void **state)
{
    assert_string_equal(sql_of(state, "[{\"type\":\"stringObject\",\"column\":\"metadata\",\"key\":"
                                      "\"k\",\"operator\":\"is set\",\"value\":7}]"),
                        " AND ((t.metadata ->> $2::text) IS NOT NULL)");
    assert_string_equal(sql_of(state, "[{\"type\":\"stringObject\",\"column\":\"metadata\",\"key\":"
                                      "\"k\",\"operator\":\"is not set\"}]"),
                        " AND ((t.metadata ->> $2::text) IS NULL)");
    assert_int_equal(((struct filtered *)*state)->read.value_count, 2);
}

static void matches_is_blind_for_case_but_at_keys(void **state)
{
    assert_string_equal(sql_of(state, "[{\"type\":\"string\",\"column\":\"id\",\"operator\":"
                                      "\"matches\",\"value\":\"aB\"}]"),
                        " AND (strpos(lower((t.id)), lower($2::text)) > 0)");
    assert_string_equal(sql_of(state, "[{\"type\":\"stringObject\",\"column\":\"metadata\",\"key\":"
                                      "\"k\",\"operator\":\"matches\",\"value\":\"aB\"}]"),
                        " AND (strpos((t.metadata ->> $2::text), $3::text) > 0)");
}

static void types_fit_columns_of_several_kinds(void **state)
{
    assert_string_equal(sql_of(state,
                               "[{\"type\":\"categoryOptions\",\"column\":\"metadata\",\"key\":"
                               "\"k\",\"operator\":\"none of\",\"value\":[\"a\"]}]"),
                        " AND (((t.metadata ->> $2::text) = ANY($3::text[])) IS NOT TRUE)");
    assert_string_equal(sql_of(state, "[{\"type\":\"booleanObject\",\"column\":\"words\",\"key\":"
                                      "\"k\",\"operator\":\"<>\",\"value\":true}]"),
                        " AND ((((t.words ->> $2::text))::jsonb ? $3::text) IS NOT TRUE)");
}

static void what_is_not_a_list_of_objects_is_refused(void **state)
{
    check_refused(state, "", "filter: invalid JSON at byte 0: expected a value");
    check_refused(state, "{}", "filter: not a list");
    check_refused(state, "\"x\"", "filter: not a list");
    check_refused(state, "[1]", "filter[0]: not an object");
    assert_int_equal(filter(state, "[{]")->err, ERR_INVALID);
    assert_int_equal(filter(state, "[] x")->err, ERR_INVALID);
    assert_int_equal(filter(state, "[[[[[[[[[[[[[[[[[[[[[[]]")->err, ERR_INVALID);
}

static void a_wrong_condition_is_named(void **state)
{
    check_refused(state, "[{\"type\":\"string\",\"operator\":\"=\",\"value\":\"x\"}]",
                  "filter[0].column: missing");
    check_refused(state,
                  "[{\"type\":\"string\",\"column\":\"id\",\"operator\":\"=\",\"value\":\"x\"},"
                  "{\"type\":\"string\",\"column\":\"na;me\",\"operator\":\"=\",\"value\":\"x\"}]",
                  "filter[1].column: unknown: na;me");
    check_refused(state, "[{\"type\":\"strung\",\"column\":\"id\",\"operator\":\"=\"}]",
                  "filter[0].type: unknown: strung");
    check_refused(state, "[{\"type\":\"number\",\"column\":\"id\",\"operator\":\"=\"}]",
                  "filter[0].type: not for this column: number");
    check_refused(state, "[{\"type\":\"datetime\",\"column\":\"startTime\",\"operator\":\"=\"}]",
                  "filter[0].operator: unknown for this type: =");
    check_refused(state, "[{\"type\":\"string\",\"column\":\"id\",\"operator\":\"=\"}]",
                  "filter[0].value: missing");
    check_refused(state,
                  "[{\"type\":\"stringObject\",\"column\":\"metadata\",\"operator\":\"=\","
                  "\"value\":\"x\"}]",
                  "filter[0].key: missing");
    check_refused(state, "[{\"type\":7,\"column\":\"id\"}]", "filter[0].type: not a string");
}

static void values_have_the_condition_s_type(void **state)
{
    static const struct {
        const char *type, *column, *relation, *value, *message;
    } cases[] = {
        {"string", "id", "=", "1", "filter[0].value: not a string"},
        {"string", "id", "=", "null", "filter[0].value: not a string"},
        {"number", "latency", "<", "\"1\"", "filter[0].value: not a number"},
        {"boolean", "public", "=", "\"true\"", "filter[0].value: not true or false"},
        {"datetime", "startTime", "<", "\"2026-01-01\"",
         "filter[0].value: not an RFC 3339 time with an offset"},
        {"datetime", "startTime", "<", "1", "filter[0].value: not an RFC 3339 time with an offset"},
        {"arrayOptions", "tags", "any of", "\"a\"", "filter[0].value: not a list of strings"},
        {"stringOptions", "id", "none of", "[\"a\",1]", "filter[0].value: not a list of strings"},
    };
    char json[300];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(json, sizeof json,
                 "[{\"type\":\"%s\",\"column\":\"%s\",\"operator\":\"%s\",\"value\":%s}]",
                 cases[i].type, cases[i].column, cases[i].relation, cases[i].value);
        check_refused(state, json, cases[i].message);
    }
}

static void conditions_are_bounded(void **state)
{
    struct buf json = BUF_EMPTY;
    for (int i = 0; i <= FILTER_CONDITIONS_MAX; i++) {
        buf_append_text(&json, i == 0 ? "[" : ",");
        buf_append_text(&json, "{\"type\":\"stringObject\",\"column\":\"metadata\",\"key\":\"k\","
                               "\"operator\":\"=\",\"value\":\"x\"}");
    }
    buf_append(&json, "]", 2);
    check_refused(state, json.data, "filter: more than 50 conditions");
    buf_finish(&json);
}

static void a_statement_takes_the_conditions_wherever_it_says_so(void **state)
{
    struct filtered *filtered = filter(state, NULL);
    read_make_filtered(&filtered->read,
                       "SELECT 1 WHERE true" READ_SQL_FILTER
                       " UNION SELECT 2 WHERE true" READ_SQL_FILTER,
                       SLICE_LITERAL(" AND (x)"));
    assert_string_equal(filtered->read.sql,
                        "SELECT 1 WHERE true AND (x) UNION SELECT 2 WHERE true AND (x)");
    assert_true(filtered->read.sql_is_made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_conditions_add_nothing),
        cmocka_unit_test(a_name_of_several_types_goes_by_that_of_the_condition),
        cmocka_unit_test(a_condition_is_sql_of_ours_and_a_bound_value),
        cmocka_unit_test(conditions_add_up_and_number_their_values),
        cmocka_unit_test(short_texts_can_use_their_index),
        cmocka_unit_test(options_are_arrays_also_when_empty),
        cmocka_unit_test(columns_are_found_in_every_spelling),
        cmocka_unit_test(null_fits_every_column_and_a_key),
        cmocka_unit_test(a_key_is_set_or_not_whatever_the_value),
        cmocka_unit_test(matches_is_blind_for_case_but_at_keys),
        cmocka_unit_test(types_fit_columns_of_several_kinds),
        cmocka_unit_test(what_is_not_a_list_of_objects_is_refused),
        cmocka_unit_test(a_wrong_condition_is_named),
        cmocka_unit_test(values_have_the_condition_s_type),
        cmocka_unit_test(conditions_are_bounded),
        cmocka_unit_test(a_statement_takes_the_conditions_wherever_it_says_so),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
