/* params: form encoding, types, bounds, repetition; what is wrong is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/read/params.h"

struct typed {
    int64_t page;
    int64_t limit;
    const char *name;
    struct param_texts tags;
    struct param_time from;
    struct param_number value;
    int64_t wide;
    struct param_bool flag;
};

static const struct param table[] = {
    {"page", PARAM_PAGE, offsetof(struct typed, page)},
    {"limit", PARAM_LIMIT, offsetof(struct typed, limit)},
    {"name", PARAM_TEXT, offsetof(struct typed, name)},
    {"tags", PARAM_TEXTS, offsetof(struct typed, tags)},
    {"fromTimestamp", PARAM_TIME, offsetof(struct typed, from)},
    {"value", PARAM_NUMBER, offsetof(struct typed, value)},
    {"wide", PARAM_WIDE_LIMIT, offsetof(struct typed, wide)},
    {"flag", PARAM_BOOL, offsetof(struct typed, flag)},
    {NULL, PARAM_TEXT, 0},
};

static struct arena arena; /* empty */

static struct typed read_query(struct slice query)
{
    struct typed typed;
    struct error error = {""};
    enum err err = params_read(table, query, &arena, &typed, &error);
    assert_string_equal(error.text, "");
    assert_int_equal(err, ERR_OK);
    return typed;
}

static struct typed read_text(const char *query)
{
    return read_query(slice_from(query));
}

static void check_refused(const char *query, const char *message)
{
    struct typed typed;
    struct error error = {""};
    assert_int_equal(params_read(table, slice_from(query), &arena, &typed, &error), ERR_INVALID);
    assert_string_equal(error.text, message);
}

static void absent_parameters_have_defaults(void **state)
{
    struct typed typed = read_text("");
    assert_int_equal(typed.page, 1);
    assert_int_equal(typed.limit, 50);
    assert_null(typed.name);
    assert_int_equal(typed.tags.count, 0);
    assert_int_equal(typed.tags.part_count, 0);
    assert_false(typed.from.given);
}

static void empty_and_absent_texts_differ(void **state)
{
    assert_string_equal(read_text("name=").name, "");
    assert_string_equal(read_text("name").name, "");
    assert_null(read_text("&&").name);
}

static void wide_limits_begin_at_nothing(void **state)
{
    assert_int_equal(read_text("").wide, 50);
    assert_int_equal(read_text("wide=-1").wide, 0);
    assert_int_equal(read_text("wide=0").wide, 0);
    assert_int_equal(read_text("wide=1001").wide, 1000);
    check_refused("wide=", "wide: not an integer of 64 bits");
}

static void flags_are_true_or_false(void **state)
{
    assert_false(read_text("").flag.given);
    assert_true(read_text("flag=true").flag.value);
    assert_true(read_text("flag=false").flag.given);
    assert_false(read_text("flag=false").flag.value);
    check_refused("flag=1", "flag: neither true nor false");
    check_refused("flag=", "flag: neither true nor false");
}

static void plus_is_a_blank_and_percent_undoes(void **state)
{
    assert_string_equal(read_text("name=a+b%2Bc%c3%A9").name, "a b+c\xc3\xa9");
    assert_string_equal(read_text("n%61me=x").name, "x");
    assert_string_equal(read_text("name=a=b").name, "a=b");
}

static void unknown_parameters_are_ignored_whatever_they_hold(void **state)
{
    assert_string_equal(read_text("x=%zz&x=2&%=1&name=n&other=%00").name, "n");
}

static void malformed_values_are_named(void **state)
{
    check_refused("name=%zz", "name: '%' must be followed by two hex digits");
    check_refused("name=%4", "name: '%' must be followed by two hex digits");
    check_refused("name=a%", "name: '%' must be followed by two hex digits");
    check_refused("name=%ff", "name: not UTF-8");
    check_refused("name=%ed%a0%80", "name: not UTF-8");
    check_refused("tags=a%00b", "tags: must not hold U+0000");
    check_refused("name=a&name=a", "name: given twice");
    check_refused("page=x", "page: not an integer of 64 bits");
    check_refused("page=", "page: not an integer of 64 bits");
    check_refused("limit=1.5", "limit: not an integer of 64 bits");
    check_refused("page=9223372036854775808", "page: not an integer of 64 bits");
    check_refused("page=-", "page: not an integer of 64 bits");
}

static void pages_and_limits_are_clamped(void **state)
{
    assert_int_equal(read_text("page=0").page, 1);
    assert_int_equal(read_text("page=-9223372036854775807").page, 1);
    assert_int_equal(read_text("page=9223372036854775807").page, INT64_MAX);
    assert_int_equal(read_text("page=%2B7").page, 7);
    assert_int_equal(read_text("limit=0").limit, 1);
    assert_int_equal(read_text("limit=-5").limit, 1);
    assert_int_equal(read_text("limit=200").limit, 200);
    assert_int_equal(read_text("limit=201").limit, 200);
    assert_int_equal(read_text("limit=9223372036854775807").limit, 200);
}

static void times_need_an_offset(void **state)
{
    struct typed typed = read_text("fromTimestamp=1970-01-01T01:00:00.5%2B01:00");
    assert_true(typed.from.given);
    assert_int_equal(typed.from.us, 500000);
    assert_int_equal(read_text("fromTimestamp=1970-01-01+00:00:01Z").from.us, 1000000);
    static const char message[] = "fromTimestamp: not an RFC 3339 time with an offset (a '+' in a "
                                  "query string is written %2B)";
    check_refused("fromTimestamp=1970-01-01T01:00:00+01:00", message);
    check_refused("fromTimestamp=2026-01-01", message);
    check_refused("fromTimestamp=", message);
}

static void numbers_are_finite_and_decimal(void **state)
{
    assert_false(read_text("").value.given);
    assert_true(read_text("value=0").value.given);
    assert_true(read_text("value=-2.5e-1").value.value == -0.25);
    assert_true(read_text("value=1e-999").value.value == 0);
    check_refused("value=", "value: not a number");
    check_refused("value=1e999", "value: not a number");
    check_refused("value=nan", "value: not a number");
    check_refused("value=0x1", "value: not a number");
    check_refused("value=1+", "value: not a number"); /* a blank */
    check_refused("value=1-1", "value: not a number");
}

static void repeated_texts_are_kept_in_order(void **state)
{
    struct typed typed = read_text("tags=b&page=2&tags=a&tags=&tags=c");
    assert_int_equal(typed.tags.count, 4);
    assert_string_equal(typed.tags.values[0], "b");
    assert_string_equal(typed.tags.values[1], "a");
    assert_string_equal(typed.tags.values[2], "");
    assert_string_equal(typed.tags.values[3], "c");
    assert_ptr_equal(typed.tags.parts, typed.tags.values);
}

static void a_comma_may_join_or_belong(void **state)
{
    struct typed typed = read_text("tags=a%2Cb,&tags=c");
    assert_int_equal(typed.tags.count, 2);
    assert_string_equal(typed.tags.values[0], "a,b,");
    assert_int_equal(typed.tags.part_count, 4);
    assert_string_equal(typed.tags.parts[0], "a");
    assert_string_equal(typed.tags.parts[1], "b");
    assert_string_equal(typed.tags.parts[2], "");
    assert_string_equal(typed.tags.parts[3], "c");
}

static void too_many_texts_are_refused(void **state)
{
    char query[PARAM_TEXTS_MAX * 7 + 8] = "";
    char *at = query;
    for (int i = 0; i < PARAM_TEXTS_MAX; i++) {
        at = stpcpy(at, "tags=a&");
    }
    assert_int_equal(read_text(query).tags.count, PARAM_TEXTS_MAX);
    stpcpy(at, "tags=a");
    check_refused(query, "tags: given more than 1000 times");
    memset(query, ',', sizeof query - 1);
    query[sizeof query - 1] = '\0';
    memcpy(query, "tags=", 5);
    check_refused(query, "tags: more than 1000 values");
}

static int forget_texts(void **state)
{
    arena_finish(&arena);
    arena = ARENA_EMPTY;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(absent_parameters_have_defaults, forget_texts),
        cmocka_unit_test_teardown(empty_and_absent_texts_differ, forget_texts),
        cmocka_unit_test_teardown(wide_limits_begin_at_nothing, forget_texts),
        cmocka_unit_test_teardown(flags_are_true_or_false, forget_texts),
        cmocka_unit_test_teardown(plus_is_a_blank_and_percent_undoes, forget_texts),
        cmocka_unit_test_teardown(unknown_parameters_are_ignored_whatever_they_hold, forget_texts),
        cmocka_unit_test_teardown(malformed_values_are_named, forget_texts),
        cmocka_unit_test_teardown(pages_and_limits_are_clamped, forget_texts),
        cmocka_unit_test_teardown(times_need_an_offset, forget_texts),
        cmocka_unit_test_teardown(numbers_are_finite_and_decimal, forget_texts),
        cmocka_unit_test_teardown(repeated_texts_are_kept_in_order, forget_texts),
        cmocka_unit_test_teardown(a_comma_may_join_or_belong, forget_texts),
        cmocka_unit_test_teardown(too_many_texts_are_refused, forget_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
