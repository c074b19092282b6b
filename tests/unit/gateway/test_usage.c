/* usage: the forms of token counts and costs, and exact sums. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "gateway/ingest/usage.h"

#include "gateway/ingest/environment.h"

static const char *text_of(struct arena *arena, const struct row *row, uint32_t column)
{
    return row_has(row, column) ? arena_text(arena, row->values[column].slice) : NULL;
}

static void check_usage(const char *json, const char *expected)
{
    struct arena arena = ARENA_EMPTY;
    struct usage usage = {0};
    struct row row = {.kind = ROW_OBSERVATION};
    usage_read(&usage, slice_from(arena_text(&arena, slice_from(json))), &arena);
    usage_add_total(&usage);
    usage_to_row(&usage, &arena, &row);
    assert_string_equal(text_of(&arena, &row, OBSERVATION_USAGE_DETAILS), expected);
    arena_finish(&arena);
}

static void forms_of_usage(void **state)
{
    static const char *const cases[][2] = {
        {"{}", "{}"},
        {"[1]", "{}"},
        {"{\"input_tokens\":5,\"output_tokens\":6,\"total_tokens\":11,"
         "\"input_tokens_details\":{\"cached_tokens\":7},\"output_tokens_details\":null}",
         "{\"input\":0,\"output\":6,\"total\":11,\"input_cached_tokens\":7}"},
        /* One key more, or one less, and it is a free map. */
        {"{\"prompt_tokens\":1,\"completion_tokens\":2,\"total_tokens\":3,\"x\":4}",
         "{\"prompt_tokens\":1,\"completion_tokens\":2,\"total_tokens\":3,\"x\":4,\"total\":10}"},
        {"{\"prompt_tokens\":1}", "{\"prompt_tokens\":1,\"total\":1}"},
        {"{\"a\":1,\"b\":\"2\",\"c\":-1,\"d\":0.5,\"e\":null,\"f\":[1],\"g\":3.0,\"h\":\"x\"}",
         "{\"a\":1,\"b\":2,\"g\":3,\"total\":6}"},
        {"{\"input\":1,\"total\":9}", "{\"input\":1,\"total\":9}"},
        {"{\"a\":1000000000000000000,\"b\":1000000000000000000,\"c\":1000000000000000001}",
         "{\"a\":1000000000000000000,\"b\":1000000000000000000,\"total\":1000000000000000000}"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        check_usage(cases[i][0], cases[i][1]);
    }
}

static void many_keys_are_bounded(void **state)
{
    struct arena arena = ARENA_EMPTY;
    struct usage usage = {0};
    struct costs costs = {0};
    for (int i = 0; i < 1000; i++) {
        char name[16];
        int len = snprintf(name, sizeof(name), "k%d", i);
        struct slice key = arena_copy(&arena, (struct slice){name, (size_t)len});
        usage_set(&usage, key, i);
        costs_set(&costs, key, SLICE_LITERAL("1"));
    }
    assert_int_equal(usage.count, USAGE_KEYS_MAX);
    assert_int_equal(costs.count, USAGE_KEYS_MAX);
    arena_finish(&arena);
}

/* The total of two costs; NULL: there is none. */
static const char *total_of(const char *input, const char *output, struct arena *arena)
{
    struct costs costs = {.count = 0};
    struct row row = {.kind = ROW_OBSERVATION};
    costs_set(&costs, SLICE_LITERAL("input"), slice_from(input));
    costs_set(&costs, SLICE_LITERAL("output"), slice_from(output));
    costs_add_total(&costs, arena);
    costs_to_row(&costs, arena, &row);
    return row_has(&row, OBSERVATION_TOTAL_COST)
               ? arena_text(arena, row.values[OBSERVATION_TOTAL_COST].slice)
               : NULL;
}

static void sums_are_exact(void **state)
{
    static const char *const cases[][3] = {
        {"0.1", "0.2", "0.3"},
        {"0", "0", "0"},
        {"0.00", "0.000", "0"},
        {"1", "0.05", "1.05"},
        {"3e-4", "0.0003", "0.0006"},
        {"1E+2", "1", "101"},
        {"12345678901234567890.5", "0.5", "12345678901234567891"},
        {"0.000000000000000000000000000001", "1", "1.000000000000000000000000000001"},
        {"99999999999999999999999999999", "1", "100000000000000000000000000000"},
        {"1e-30", "1e29", "100000000000000000000000000000.000000000000000000000000000001"},
        {"1e-40", "1", "none"}, /* more digits than a sum may have */
        {"1e-40", "1e30", "1e-40"},
        {"1e99", "1", "1"}, /* the first is no cost that can be stored */
    };
    struct arena arena = ARENA_EMPTY;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *total = total_of(cases[i][0], cases[i][1], &arena);
        assert_string_equal(total != NULL ? total : "none", cases[i][2]);
    }
    arena_finish(&arena);
}

static void environments(void **state)
{
    static const char *const cases[][2] = {
        {"Staging-EU", "staging-eu"}, {"langfuse_langfuse-x", "x"},
        {"LANGFUSE", "default"},      {"", "default"},
        {"ünï", "default"},           {"a.b", "default"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char buffer[ENVIRONMENT_MAX];
        assert_true(slice_is(environment_normalise(slice_from(cases[i][0]), buffer), cases[i][1]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_of_usage),
        cmocka_unit_test(many_keys_are_bounded),
        cmocka_unit_test(sums_are_exact),
        cmocka_unit_test(environments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
