/* number, texts, json_tree, books, array: the small helpers of merging and counting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "writer/array.h"
#include "writer/books.h"
#include "writer/json_tree.h"
#include "writer/number.h"
#include "writer/texts.h"

static int compare(const char *a, const char *b)
{
    int order = number_compare(slice_from(a), slice_from(b));
    assert_int_equal(number_compare(slice_from(b), slice_from(a)) > 0, order < 0);
    return order;
}

static void numbers_compare_by_value(void **state)
{
    assert_int_equal(compare("1.50", "15e-1"), 0);
    assert_int_equal(compare("-0", "0.000"), 0);
    assert_int_equal(compare("1e1000", "10e999"), 0);
    assert_true(compare("2", "10") < 0);
    assert_true(compare("-2", "-10") > 0);
    assert_true(compare("-1", "0") < 0);
    assert_true(compare("0.1", "0.09") > 0);
    assert_true(compare("12345678901234567890123456789012345678901",
                        "12345678901234567890123456789012345678902") < 0);
    assert_int_equal(number_scale(SLICE_LITERAL("1.50")), 2);
    assert_int_equal(number_scale(SLICE_LITERAL("15e-1")), 1);
    assert_int_equal(number_scale(SLICE_LITERAL("1.5e3")), 0);
}

static void lists_of_texts_compare_as_postgresql_does(void **state)
{
    struct arena arena = ARENA_EMPTY;
    struct texts a;
    struct texts b;
    assert_true(texts_parse(SLICE_LITERAL("[\"a\",\"b\"]"), &arena, &a));
    assert_true(texts_parse(SLICE_LITERAL("[\"a\"]"), &arena, &b));
    assert_true(texts_compare(&a, &b) > 0);
    assert_true(texts_parse(SLICE_LITERAL("[\"aa\"]"), &arena, &b));
    assert_true(texts_compare(&a, &b) < 0);
    assert_false(texts_parse(SLICE_LITERAL("[1]"), &arena, &a));
    assert_false(texts_parse(SLICE_LITERAL("{}"), &arena, &a));
    assert_false(texts_parse(SLICE_LITERAL("[[\"a\"]]"), &arena, &a));
    arena_finish(&arena);
}

static void assert_prints(const char *json, const char *printed, struct arena *arena)
{
    struct buf out = BUF_EMPTY;
    json_tree_print(json_tree_parse(slice_from(json), arena), &out);
    buf_append_char(&out, '\0');
    assert_string_equal(out.data, printed);
    buf_finish(&out);
}

static void trees_are_as_jsonb_sees_them(void **state)
{
    struct arena arena = ARENA_EMPTY;
    assert_prints(" { \"bb\" : 1.50, \"a\":[true, null , \"x\\u0041\"], \"bb\":2 } ",
                  "{\"a\":[true,null,\"xA\"],\"bb\":2}", &arena);
    assert_prints("{\"a\":1,}", "{\"a\":1,}", &arena);
    arena_finish(&arena);
}

static void books_sum_up_days(void **state)
{
    struct books books;
    books_init(&books);
    struct slice p = SLICE_LITERAL("p");
    struct slice q = SLICE_LITERAL("q");
    const int64_t day_us = INT64_C(86400000000);
    books_add(&books, p, 5 * day_us, 1);
    books_add(&books, q, 5 * day_us, 1);
    books_add(&books, p, 6 * day_us - 1, 1);
    books_add(&books, p, -1, -1);
    books_add(&books, p, 0, 0);
    const struct merged of_p = {.kind = ROW_OBSERVATION, .project = p};
    const struct merged of_q = {.kind = ROW_OBSERVATION, .project = q};
    books_add_observation(&books, &of_p);
    books_add_observation(&books, &of_p);
    books_add_observation(&books, &of_q);
    assert_int_equal(books.project_count, 2);
    books_add_scores(&books, q, 2);
    assert_int_equal(books.project_count, 2);
    assert_int_equal(books.projects[0].observations, 2);
    assert_int_equal(books.projects[1].observations, 1);
    assert_int_equal(books.projects[1].scores, 2);
    books_fold(&books);
    assert_int_equal(books.count, 4);
    assert_int_equal(books.lines[0].day, -1);
    assert_int_equal(books.lines[0].traces, -1);
    assert_int_equal(books.lines[1].day, 0);
    assert_int_equal(books.lines[2].day, 5);
    assert_int_equal(books.lines[2].traces, 2);
    assert_true(slice_equals(books.lines[3].project, q));
    books_finish(&books);
}

static void set_text(struct merged *merged, uint32_t column, const char *text)
{
    merged->values[column].slice = slice_from(text);
    merged->present |= UINT64_C(1) << column;
}

static void facets_count_equal_values_of_an_hour_once(void **state)
{
    struct facets facets;
    struct merged one = {.kind = ROW_OBSERVATION, .project = SLICE_LITERAL("p")};
    facets_init(&facets);
    one.present = UINT64_C(1) << OBSERVATION_START_TIME;
    one.values[OBSERVATION_START_TIME].integer = -1;
    facets_add(&facets, &one);
    assert_int_equal(facets.count, 3); /* type, level, environment */
    set_text(&one, OBSERVATION_TYPE, "GENERATION");
    set_text(&one, OBSERVATION_LEVEL, "DEFAULT");
    set_text(&one, OBSERVATION_ENVIRONMENT, "default");
    facets_add(&facets, &one);
    assert_int_equal(facets.count, 3); /* what it is unset */
    set_text(&one, OBSERVATION_NAME, "GENERATION");
    set_text(&one, OBSERVATION_VERSION, "");
    facets_add(&facets, &one);
    assert_int_equal(facets.count, 5);
    one.values[OBSERVATION_START_TIME].integer = 0;
    facets_add(&facets, &one);
    assert_int_equal(facets.count, 10); /* another hour */
    one.project = SLICE_LITERAL("q");
    facets_add(&facets, &one);
    assert_int_equal(facets.count, 15);
    facets_finish(&facets);
}

static void facets_leave_out_long_values_and_hold_many(void **state)
{
    char text[202];
    struct facets facets;
    struct merged one = {.kind = ROW_OBSERVATION, .project = SLICE_LITERAL("p")};
    memset(text, 'x', 201);
    text[201] = '\0';
    facets_init(&facets);
    set_text(&one, OBSERVATION_NAME, text);
    facets_add(&facets, &one);
    assert_int_equal(facets.count, 3);
    set_text(&one, OBSERVATION_NAME, text + 1);
    facets_add(&facets, &one);
    assert_int_equal(facets.count, 4);
    set_text(&one, OBSERVATION_TYPE, text);
    facets_add(&facets, &one);
    assert_int_equal(facets.count, 5); /* all long types are one */
    facets_reset(&facets);
    assert_int_equal(facets.count, 0);
    for (int round = 0; round < 2; round++) {
        for (int64_t hour = 0; hour < 500; hour++) {
            one.present |= UINT64_C(1) << OBSERVATION_START_TIME;
            one.values[OBSERVATION_START_TIME].integer = hour * INT64_C(3600000000);
            facets_add(&facets, &one);
        }
        assert_int_equal(facets.count, 2000);
    }
    facets_finish(&facets);
}

static void arrays_of_int64_come_back(void **state)
{
    struct buf out = BUF_EMPTY;
    int64_t values[4];
    uint32_t count = 9;
    array_begin(&out, OID_INT8, 2);
    array_add_int64(&out, INT64_MIN);
    array_add_int64(&out, 7);
    assert_true(array_read_int64(buf_slice(&out), values, 4, &count));
    assert_int_equal(count, 2);
    assert_int_equal(values[0], INT64_MIN);
    assert_int_equal(values[1], 7);
    assert_false(array_read_int64(buf_slice(&out), values, 1, &count));
    assert_false(array_read_int64((struct slice){out.data, out.len - 1}, values, 4, &count));
    buf_reset(&out);
    array_begin(&out, OID_INT8, 0);
    assert_true(array_read_int64(buf_slice(&out), values, 4, &count));
    assert_int_equal(count, 0);
    buf_finish(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_compare_by_value),
        cmocka_unit_test(lists_of_texts_compare_as_postgresql_does),
        cmocka_unit_test(trees_are_as_jsonb_sees_them),
        cmocka_unit_test(books_sum_up_days),
        cmocka_unit_test(facets_count_equal_values_of_an_hour_once),
        cmocka_unit_test(facets_leave_out_long_values_and_hold_many),
        cmocka_unit_test(arrays_of_int64_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
