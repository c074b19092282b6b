/* json_read: what the pull reader hands out, and how it fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/json_read.h"

struct fixture {
    char text[512];
    struct arena arena;
    struct json_reader reader;
};

static void open_text(struct fixture *fixture, const char *text)
{
    size_t len = strlen(text);
    assert_true(len < sizeof(fixture->text));
    memcpy(fixture->text, text, len + 1);
    fixture->arena = ARENA_EMPTY;
    json_reader_init(&fixture->reader, fixture->text, len, 16, &fixture->arena);
}

static void assert_slice(struct slice slice, const char *text)
{
    assert_int_equal(slice.len, strlen(text));
    assert_memory_equal(slice.data, text, slice.len);
}

static void assert_end(struct fixture *fixture, const char *words)
{
    struct error error = {""};
    enum err err = json_end(&fixture->reader, &error);
    assert_int_equal(err, words == NULL ? ERR_OK : ERR_INVALID);
    assert_string_equal(error.text, words == NULL ? "" : words);
    arena_finish(&fixture->arena);
}

static void members_come_in_order_with_raw_values(void **state)
{
    struct fixture f;
    struct slice key, raw;
    open_text(&f, " { \"a\" : [1, 2] , \"b\":{ } ,\"c\": \"x\\n\" } ");
    assert_true(json_object_begin(&f.reader));
    assert_true(json_object_next(&f.reader, &key));
    assert_slice(key, "a");
    assert_true(json_skip(&f.reader, &raw));
    assert_slice(raw, "[1, 2]");
    assert_true(json_object_next(&f.reader, &key));
    assert_slice(key, "b");
    assert_true(json_skip(&f.reader, &raw));
    assert_slice(raw, "{ }");
    assert_true(json_object_next(&f.reader, &key));
    assert_slice(key, "c");
    assert_true(json_skip(&f.reader, &raw));
    assert_slice(raw, "\"x\\n\"");
    assert_false(json_object_next(&f.reader, &key));
    assert_false(json_failed(&f.reader));
    assert_end(&f, NULL);
}

static void strings_are_unescaped_and_plain_ones_borrowed(void **state)
{
    struct fixture f;
    struct slice text = {NULL, 0};
    open_text(&f,
              "[\"plain\",\"\\\"\\\\\\/\\b\\f\\n\\r\\t\",\"\\u0041\\u00e9\\u4e2d\\ud83d\\ude00\","
              "\"a\\u0000b\\ud800c\",\"\"]");
    assert_true(json_array_begin(&f.reader));
    assert_true(json_array_next(&f.reader) && json_string(&f.reader, &text));
    assert_slice(text, "plain");
    assert_ptr_equal(text.data, f.text + 2);
    assert_true(json_array_next(&f.reader) && json_string(&f.reader, &text));
    assert_slice(text, "\"\\/\b\f\n\r\t");
    assert_true(json_array_next(&f.reader) && json_string(&f.reader, &text));
    assert_slice(text, "A\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80");
    assert_true(json_array_next(&f.reader) && json_string(&f.reader, &text));
    assert_slice(text, "a\xef\xbf\xbd"
                       "b\xef\xbf\xbd"
                       "c");
    assert_true(json_array_next(&f.reader) && json_string(&f.reader, &text));
    assert_slice(text, "");
    assert_false(json_array_next(&f.reader));
    assert_end(&f, NULL);
}

static void keys_are_unescaped(void **state)
{
    struct fixture f;
    struct slice key;
    open_text(&f, "{\"tr\\u0061ce\":1}");
    assert_true(json_object_begin(&f.reader));
    assert_true(json_object_next(&f.reader, &key));
    assert_slice(key, "trace");
    assert_true(json_skip(&f.reader, NULL));
    assert_false(json_object_next(&f.reader, &key));
    assert_end(&f, NULL);
}

static void peeking_passes_nothing(void **state)
{
    struct fixture f;
    static const struct {
        const char *text;
        enum json_type type;
    } cases[] = {
        {"null", JSON_NULL}, {" true", JSON_BOOL},  {"false", JSON_BOOL}, {"-1", JSON_NUMBER},
        {"7", JSON_NUMBER},  {"\"\"", JSON_STRING}, {"[]", JSON_ARRAY},   {"\n{}", JSON_OBJECT},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        open_text(&f, cases[i].text);
        assert_int_equal(json_peek(&f.reader), cases[i].type);
        assert_int_equal(json_peek(&f.reader), cases[i].type);
        assert_true(json_skip(&f.reader, NULL));
        assert_end(&f, NULL);
    }
}

static void another_type_passes_nothing_and_fails_nothing(void **state)
{
    struct fixture f;
    struct slice text = {NULL, 0};
    bool flag;
    open_text(&f, "[12]");
    assert_false(json_object_begin(&f.reader));
    assert_false(json_string(&f.reader, &text));
    assert_true(json_array_begin(&f.reader));
    assert_true(json_array_next(&f.reader));
    assert_false(json_string(&f.reader, &text));
    assert_false(json_bool(&f.reader, &flag));
    assert_false(json_null(&f.reader));
    assert_false(json_array_begin(&f.reader));
    assert_false(json_failed(&f.reader));
    assert_true(json_number(&f.reader, &text));
    assert_slice(text, "12");
    assert_false(json_array_next(&f.reader));
    assert_end(&f, NULL);
}

static void words_are_values(void **state)
{
    struct fixture f;
    bool flag = false;
    open_text(&f, "[true,false,null]");
    assert_true(json_array_begin(&f.reader));
    assert_true(json_array_next(&f.reader) && json_bool(&f.reader, &flag));
    assert_true(flag);
    assert_true(json_array_next(&f.reader) && json_bool(&f.reader, &flag));
    assert_false(flag);
    assert_true(json_array_next(&f.reader) && json_null(&f.reader));
    assert_false(json_array_next(&f.reader));
    assert_end(&f, NULL);
}

static void the_first_error_sticks(void **state)
{
    struct fixture f;
    struct slice text = SLICE_LITERAL("x");
    bool flag = true;
    open_text(&f, "[tru, 1, \"a\", {}, []");
    assert_true(json_array_begin(&f.reader));
    assert_true(json_array_next(&f.reader));
    assert_false(json_skip(&f.reader, &text));
    assert_true(json_failed(&f.reader));
    assert_int_equal(json_peek(&f.reader), JSON_NONE);
    assert_false(json_array_next(&f.reader));
    assert_false(json_object_next(&f.reader, &text));
    assert_int_equal(text.len, 0);
    assert_false(json_object_begin(&f.reader));
    assert_false(json_array_begin(&f.reader));
    assert_false(json_string(&f.reader, &text));
    assert_false(json_number(&f.reader, &text));
    assert_false(json_bool(&f.reader, &flag));
    assert_false(flag);
    assert_false(json_null(&f.reader));
    assert_false(json_skip(&f.reader, &text));
    assert_int_equal(text.len, 0);
    json_fail(&f.reader, "another");
    assert_end(&f, "invalid JSON at byte 1: expected a value");
}

static void a_caller_may_fail_the_reader_where_it_stands(void **state)
{
    struct fixture f;
    open_text(&f, "[1,  2]");
    assert_true(json_array_begin(&f.reader));
    assert_true(json_array_next(&f.reader) && json_skip(&f.reader, NULL));
    assert_true(json_array_next(&f.reader));
    json_fail(&f.reader, "too many");
    assert_false(json_skip(&f.reader, NULL));
    assert_end(&f, "invalid JSON at byte 5: too many");
}

static void offsets_are_those_of_the_next_value(void **state)
{
    struct fixture f;
    struct slice key;
    open_text(&f, " {\"a\" :  1, \"b\":2}");
    assert_int_equal(json_offset(&f.reader), 1);
    assert_true(json_object_begin(&f.reader));
    assert_true(json_object_next(&f.reader, &key));
    assert_int_equal(json_offset(&f.reader), 9);
    assert_true(json_skip(&f.reader, NULL));
    assert_true(json_object_next(&f.reader, &key));
    assert_int_equal(json_offset(&f.reader), 16);
    assert_true(json_skip(&f.reader, NULL));
    assert_false(json_object_next(&f.reader, &key));
    assert_end(&f, NULL);
}

static void an_unfinished_value_is_an_error_at_the_end(void **state)
{
    struct fixture f;
    open_text(&f, "[1");
    assert_true(json_array_begin(&f.reader));
    assert_true(json_array_next(&f.reader) && json_skip(&f.reader, NULL));
    assert_end(&f, "invalid JSON at byte 2: the value does not end");
}

static void an_empty_body_is_an_error(void **state)
{
    struct arena arena = ARENA_EMPTY;
    struct json_reader reader;
    struct error error;
    json_reader_init(&reader, NULL, 0, 16, &arena);
    assert_false(json_object_begin(&reader));
    assert_int_equal(json_end(&reader, &error), ERR_INVALID);
    assert_string_equal(error.text, "invalid JSON at byte 0: expected a value");
}

static void depth_counts_what_is_open_around_a_skipped_value(void **state)
{
    char text[] = "[[[[]]]]";
    struct arena arena = ARENA_EMPTY;
    struct json_reader reader;
    struct error error;
    json_reader_init(&reader, text, sizeof(text) - 1, 3, &arena);
    assert_true(json_array_begin(&reader) && json_array_next(&reader));
    assert_true(json_array_begin(&reader) && json_array_next(&reader));
    assert_false(json_skip(&reader, NULL));
    assert_int_equal(json_end(&reader, &error), ERR_INVALID);
    assert_string_equal(error.text, "invalid JSON at byte 3: nested too deeply");
}

/* Reads what a lenient reader that allows 16 levels makes of an array of one value and a 7. */
static void check_lenient(const char *value, const char *unfit)
{
    struct fixture f;
    struct slice raw;
    char text[512];
    (void)snprintf(text, sizeof(text), "[%s,7]", value);
    open_text(&f, text);
    json_be_lenient(&f.reader);
    assert_true(json_array_begin(&f.reader) && json_array_next(&f.reader));
    assert_true(json_skip(&f.reader, &raw));
    assert_slice(raw, value);
    const char *found = json_take_unfit(&f.reader);
    assert_string_equal(found != NULL ? found : "", unfit);
    assert_null(json_take_unfit(&f.reader));
    assert_true(json_array_next(&f.reader) && json_number(&f.reader, &raw));
    assert_null(json_take_unfit(&f.reader));
    assert_false(json_array_next(&f.reader));
    assert_end(&f, NULL);
}

static void a_lenient_reader_passes_what_breaks_a_bound_and_tells(void **state)
{
    char number[JSON_NUMBER_MAX + 2] = "";
    check_lenient("[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]", "");
    check_lenient("[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]", "nested too deeply");
    check_lenient("[[[[[[[[[[[[[[[{\"a\":[{}, [1, {\"b\": 2}]]}, 3]]]]]]]]]]]]]]]",
                  "nested too deeply");
    check_lenient("1e1001", "exponent out of range");
    check_lenient("{\"a\":1e99999999999999999999}", "exponent out of range");
    check_lenient("1e-0001000", "");
    memset(number, '1', sizeof(number) - 1);
    check_lenient(number, "number too long");
    number[JSON_NUMBER_MAX] = '\0';
    check_lenient(number, "");
}

static void a_lenient_reader_tells_of_numbers_and_brackets_that_it_is_asked_for(void **state)
{
    struct fixture f;
    struct slice number = {NULL, 0};
    open_text(&f, "[[[[[[[[[[[[[[[[[1],2e2000]]]]]]]]]]]]]]]]");
    json_be_lenient(&f.reader);
    for (int i = 0; i < 16; i++) {
        assert_true(json_array_begin(&f.reader) && json_array_next(&f.reader));
    }
    assert_false(json_array_begin(&f.reader));
    assert_string_equal(json_take_unfit(&f.reader), "nested too deeply");
    assert_true(json_skip(&f.reader, NULL));
    assert_null(json_take_unfit(&f.reader)); /* nobody has it */
    assert_true(json_array_next(&f.reader) && json_number(&f.reader, &number));
    assert_slice(number, "2e2000");
    assert_string_equal(json_take_unfit(&f.reader), "exponent out of range");
    for (int i = 0; i < 16; i++) {
        assert_false(json_array_next(&f.reader));
    }
    assert_end(&f, NULL);
}

/* 100,000 levels, objects and arrays by turns: brackets must match to the innermost. */
static enum err read_abyss(char *text, size_t len, size_t wrong, char instead)
{
    struct arena arena = ARENA_EMPTY;
    struct json_reader reader;
    struct slice raw;
    size_t depth = len / 12;
    for (size_t i = 0; i < depth; i++) {
        memcpy(text + i * 10, "{\"abcde\":[", 10);
        memcpy(text + depth * 10 + i * 2, "]}", 2);
    }
    if (wrong < len) {
        text[wrong] = instead;
    }
    json_reader_init(&reader, text, len, 16, &arena);
    json_be_lenient(&reader);
    bool passed = json_skip(&reader, &raw);
    assert_true(!passed || json_take_unfit(&reader) != NULL);
    enum err err = json_end(&reader, NULL);
    arena_finish(&arena);
    return err;
}

static void a_lenient_reader_goes_to_any_depth_and_still_sees_what_is_no_json(void **state)
{
    enum { LEVELS = 50000, LEN = LEVELS * 12 };
    char *text = memory_alloc(LEN);
    assert_int_equal(read_abyss(text, LEN, LEN, '-'), ERR_OK);
    assert_int_equal(read_abyss(text, LEN, LEVELS * 10, '}'), ERR_INVALID);
    assert_int_equal(read_abyss(text, LEN, LEN - 1, ']'), ERR_INVALID);
    assert_int_equal(read_abyss(text, LEN, LEN - 1, ' '), ERR_INVALID);
    assert_int_equal(read_abyss(text, LEN, LEVELS * 5, '\n'), ERR_INVALID);
    free(text);
}

static void integers_are_exact_or_refused(void **state)
{
    int64_t value;
    assert_true(json_number_int64(SLICE_LITERAL("0"), &value) && value == 0);
    assert_true(json_number_int64(SLICE_LITERAL("-0"), &value) && value == 0);
    assert_true(json_number_int64(SLICE_LITERAL("-12"), &value) && value == -12);
    assert_true(json_number_int64(SLICE_LITERAL("9223372036854775807"), &value) &&
                value == INT64_MAX);
    assert_true(json_number_int64(SLICE_LITERAL("-9223372036854775808"), &value) &&
                value == INT64_MIN);
    assert_false(json_number_int64(SLICE_LITERAL("9223372036854775808"), &value));
    assert_false(json_number_int64(SLICE_LITERAL("-9223372036854775809"), &value));
    assert_false(json_number_int64(SLICE_LITERAL("99999999999999999999"), &value));
    assert_false(json_number_int64(SLICE_LITERAL("1.0"), &value));
    assert_false(json_number_int64(SLICE_LITERAL("1e2"), &value));
    assert_false(json_number_int64(SLICE_LITERAL("-"), &value));
    assert_false(json_number_int64(SLICE_LITERAL(""), &value));
}

static void doubles_are_the_nearest_or_refused(void **state)
{
    double value;
    assert_true(json_number_double(SLICE_LITERAL("0.1"), &value) && value == 0.1);
    assert_true(json_number_double(SLICE_LITERAL("-1e3"), &value) && value == -1000);
    assert_true(json_number_double(SLICE_LITERAL("1.7976931348623157e308"), &value) &&
                isfinite(value));
    assert_true(json_number_double(SLICE_LITERAL("1e-400"), &value) && value == 0);
    assert_false(json_number_double(SLICE_LITERAL("1e309"), &value));
    assert_false(json_number_double(SLICE_LITERAL("-1e1000"), &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_come_in_order_with_raw_values),
        cmocka_unit_test(strings_are_unescaped_and_plain_ones_borrowed),
        cmocka_unit_test(keys_are_unescaped),
        cmocka_unit_test(peeking_passes_nothing),
        cmocka_unit_test(another_type_passes_nothing_and_fails_nothing),
        cmocka_unit_test(words_are_values),
        cmocka_unit_test(the_first_error_sticks),
        cmocka_unit_test(a_caller_may_fail_the_reader_where_it_stands),
        cmocka_unit_test(offsets_are_those_of_the_next_value),
        cmocka_unit_test(an_unfinished_value_is_an_error_at_the_end),
        cmocka_unit_test(an_empty_body_is_an_error),
        cmocka_unit_test(depth_counts_what_is_open_around_a_skipped_value),
        cmocka_unit_test(a_lenient_reader_passes_what_breaks_a_bound_and_tells),
        cmocka_unit_test(a_lenient_reader_tells_of_numbers_and_brackets_that_it_is_asked_for),
        cmocka_unit_test(a_lenient_reader_goes_to_any_depth_and_still_sees_what_is_no_json),
        cmocka_unit_test(integers_are_exact_or_refused),
        cmocka_unit_test(doubles_are_the_nearest_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
