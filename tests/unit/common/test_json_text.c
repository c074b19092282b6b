/* json_text: which texts the JSON reader takes, and what it changes in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "common/json_read.h"

enum { MAX_DEPTH = 20 };

/* Passes a value the pull way, down to each scalar. */
static void walk(struct json_reader *reader)
{
    struct slice text;
    bool flag;
    switch (json_peek(reader)) {
    case JSON_OBJECT:
        if (json_object_begin(reader)) {
            while (json_object_next(reader, &text)) {
                walk(reader);
            }
        }
        return;
    case JSON_ARRAY:
        if (json_array_begin(reader)) {
            while (json_array_next(reader)) {
                walk(reader);
            }
        }
        return;
    case JSON_STRING:
        json_string(reader, &text);
        return;
    case JSON_NUMBER:
        json_number(reader, &text);
        return;
    case JSON_BOOL:
        json_bool(reader, &flag);
        return;
    case JSON_NULL:
        json_null(reader);
        return;
    case JSON_NONE:
        return;
    }
}

struct verdict {
    enum err err;
    struct error error;
    char *text; /* owned: the text afterwards, exactly len bytes */
    size_t len;
};

static struct verdict judge(struct slice text, bool skipping)
{
    struct verdict verdict = {.text = malloc(text.len > 0 ? text.len : 1), .len = text.len};
    struct arena arena = ARENA_EMPTY;
    struct json_reader reader;
    assert_non_null(verdict.text);
    if (text.len > 0) {
        memcpy(verdict.text, text.data, text.len);
    }
    json_reader_init(&reader, verdict.text, text.len, MAX_DEPTH, &arena);
    if (skipping) {
        json_skip(&reader, NULL);
    } else {
        walk(&reader);
    }
    verdict.err = json_end(&reader, &verdict.error);
    arena_finish(&arena);
    return verdict;
}

/* Both ways must come to the same verdict and the same words. Checked on memory of exactly the
 * text's size, so that ASan sees any read beyond it. */
static struct verdict judge_both(struct slice text)
{
    struct verdict skipped = judge(text, true);
    struct verdict walked = judge(text, false);
    assert_int_equal(skipped.err, walked.err);
    if (skipped.err != ERR_OK) {
        assert_string_equal(skipped.error.text, walked.error.text);
    } else {
        assert_memory_equal(skipped.text, walked.text, text.len);
    }
    free(walked.text);
    return skipped;
}

static void check_taken(struct slice text)
{
    struct verdict verdict = judge_both(text);
    if (verdict.err != ERR_OK) {
        fail_msg("refused: %.*s: %s", (int)text.len, text.data, verdict.error.text);
    }
    assert_memory_equal(verdict.text, text.data, text.len);
    free(verdict.text);
}

static void check_refused(struct slice text, const char *words)
{
    struct verdict verdict = judge_both(text);
    if (verdict.err != ERR_INVALID) {
        fail_msg("taken: %.*s", (int)text.len, text.data);
    }
    assert_string_equal(verdict.error.text, words);
    free(verdict.text);
}

static void check_patched(const char *before, const char *after)
{
    struct verdict verdict = judge_both(slice_from(before));
    assert_int_equal(verdict.err, ERR_OK);
    if (!slice_is((struct slice){verdict.text, verdict.len}, after)) {
        fail_msg("%s became %.*s, not %s", before, (int)verdict.len, verdict.text, after);
    }
    free(verdict.text);
}

static void valid_texts_are_taken_unchanged(void **state)
{
    static const char *const texts[] = {
        "null",
        "true",
        "false",
        "0",
        "-0",
        "1",
        "-1",
        "123",
        "0.5",
        "-0.0",
        "1e0",
        "1E+2",
        "1e-2",
        "1.5e10",
        "-1.5E-10",
        "1e1000",
        "1e-1000",
        "0e1000",
        "1e0001",
        "1e00000000000000000001",
        "1234567890123456789012345678901234567890",
        "0.0000000000000000000000000000000000000001",
        "\"\"",
        "\"a\"",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
        "\"\\u0041\\u00e9\\u4e2d\\uFFFF\"",
        "\"\\ud83d\\ude00\"",
        "\"\\uD83D\\uDE00\"",
        "\"\\ufffd\"",
        "\"\\u0001\"",
        "\"\x7f\"",
        "\"\xc2\x80\"",
        "\"\xc3\xa9\"",
        "\"\xdf\xbf\"",
        "\"\xe0\xa0\x80\"",
        "\"\xed\x9f\xbf\"",
        "\"\xee\x80\x80\"",
        "\"\xef\xbf\xbf\"",
        "\"\xf0\x90\x80\x80\"",
        "\"\xf4\x8f\xbf\xbf\"",
        "[]",
        "[ ]",
        "[1]",
        "[1,2]",
        "[[]]",
        "[[],[]]",
        "[{}]",
        "{}",
        "{ }",
        "{\"a\":1}",
        "{\"a\":{}}",
        "{\"\":0}",
        "{\"a\":1,\"a\":2}",
        "{\"a\":[1,{\"b\":null}],\"c\":\"d\"}",
        " 1 ",
        "\t\r\n {\t\"a\"\r:\n1 , \"b\" : [ 1 , 2 ] } \n",
        "\"0123456789abcdef0123456789abcdef\"",
        "\"0123456789abcd\\n0123456789abcdef\\t\"",
        "\"aaaaaaaaaaaaaa\xc3\xa9zzzzzzzzzzzzzzzzzzzzz\xe4\xb8\xad\xe6\x96\x87zzzzzzzzzzzzzzz\"",
        "[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        check_taken(slice_from(texts[i]));
    }
}

struct refusal {
    const char *text;
    const char *why; /* behind "invalid JSON at byte " */
};

static void check_refusals(const struct refusal *refusals, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char words[128];
        snprintf(words, sizeof(words), "invalid JSON at byte %s", refusals[i].why);
        check_refused(slice_from(refusals[i].text), words);
    }
}

#define CHECK_REFUSALS(table) check_refusals(table, sizeof(table) / sizeof((table)[0]))

static void broken_structure_is_refused_at_its_byte(void **state)
{
    static const struct refusal refusals[] = {
        {"", "0: expected a value"},
        {"  ", "2: expected a value"},
        {"[", "1: expected a value"},
        {"[1", "2: expected ',' or ']'"},
        {"[1,", "3: expected a value"},
        {"[1,]", "3: expected a value"},
        {"[,1]", "1: expected a value"},
        {"[1 2]", "3: expected ',' or ']'"},
        {"[1}", "2: expected ',' or ']'"},
        {"[1,,2]", "3: expected a value"},
        {"]", "0: expected a value"},
        {"[]]", "2: text after the value"},
        {"[][]", "2: text after the value"},
        {"1 2", "2: text after the value"},
        {"{", "1: expected a member name"},
        {"{\"a\"", "4: expected ':'"},
        {"{\"a\":", "5: expected a value"},
        {"{\"a\":1", "6: expected ',' or '}'"},
        {"{\"a\":1,", "7: expected a member name"},
        {"{\"a\":1,}", "7: expected a member name"},
        {"{,\"a\":1}", "1: expected a member name"},
        {"{\"a\" 1}", "5: expected ':'"},
        {"{\"a\"::1}", "5: expected a value"},
        {"{\"a\":1 \"b\":2}", "7: expected ',' or '}'"},
        {"{\"a\":1]", "6: expected ',' or '}'"},
        {"{a:1}", "1: expected a member name"},
        {"{'a':1}", "1: expected a member name"},
        {"{1:1}", "1: expected a member name"},
        {"{\"a\"}", "4: expected ':'"},
        {"{\"a\":}", "5: expected a value"},
        {"{null:1}", "1: expected a member name"},
        {"[1]//x", "3: text after the value"},
        {"/* x */1", "0: expected a value"},
        {"\xef\xbb\xbf{}", "0: expected a value"},
        {"\f1", "0: expected a value"},
        {"\xc2\xa0"
         "1",
         "0: expected a value"},
    };
    CHECK_REFUSALS(refusals);
}

static void wrong_words_and_numbers_are_refused(void **state)
{
    static const struct refusal refusals[] = {
        {"tru", "0: expected a value"},
        {"truth", "0: expected a value"},
        {"truex", "4: text after the value"},
        {"True", "0: expected a value"},
        {"nul", "0: expected a value"},
        {"nan", "0: expected a value"},
        {"NaN", "0: expected a value"},
        {"Infinity", "0: expected a value"},
        {"-Infinity", "1: expected a digit"},
        {"undefined", "0: expected a value"},
        {"01", "1: text after the value"},
        {"-01", "2: text after the value"},
        {"-", "1: expected a digit"},
        {"--1", "1: expected a digit"},
        {"+1", "0: expected a value"},
        {".5", "0: expected a value"},
        {"1.", "2: expected a digit"},
        {"1.e1", "2: expected a digit"},
        {"1e", "2: expected a digit"},
        {"1e+", "3: expected a digit"},
        {"1e1.5", "3: text after the value"},
        {"0x10", "1: text after the value"},
        {"1_000", "1: text after the value"},
        {"1a", "1: text after the value"},
        {"[-a]", "2: expected a digit"},
        {"1e1001", "0: exponent out of range"},
        {"[1e-1001]", "1: exponent out of range"},
        {"1e99999999999999999999", "0: exponent out of range"},
        {"\xef\xbc\x91", "0: expected a value"},
    };
    CHECK_REFUSALS(refusals);
}

static void wrong_strings_are_refused(void **state)
{
    static const struct refusal refusals[] = {
        {"\"", "1: the string does not end"},
        {"\"a", "2: the string does not end"},
        {"\"a\\", "2: invalid escape"},
        {"\"a\\\"", "4: the string does not end"},
        {"\"\\x41\"", "1: invalid escape"},
        {"\"\\a\"", "1: invalid escape"},
        {"\"\\'\"", "1: invalid escape"},
        {"\"\\U0041\"", "1: invalid escape"},
        {"\"\\u\"", "1: invalid escape"},
        {"\"\\u004\"", "1: invalid escape"},
        {"\"\\u00g0\"", "1: invalid escape"},
        {"\"\\u 041\"", "1: invalid escape"},
        {"\"\\u004", "1: invalid escape"},
        {"\"\\ud83d\\ude0\"", "7: invalid escape"},
        {"\"\\ud83d\\x\"", "7: invalid escape"},
        {"\"a\nb\"", "2: control character in a string"},
        {"\"a\tb\"", "2: control character in a string"},
        {"\"\x1f\"", "1: control character in a string"},
        {"\"\\\n\"", "1: invalid escape"},
        {"\"0123456789abcdef\x01\"", "17: control character in a string"},
        {"'a'", "0: expected a value"},
        {"\"a\"b", "3: text after the value"},
    };
    CHECK_REFUSALS(refusals);
    check_refused((struct slice){"\"\0\"", 3},
                  "invalid JSON at byte 1: control character in a string");
    check_refused((struct slice){"1\0", 2}, "invalid JSON at byte 1: text after the value");
    check_refused((struct slice){"\0", 1}, "invalid JSON at byte 0: expected a value");
}

static void invalid_utf8_is_refused(void **state)
{
    static const struct refusal refusals[] = {
        {"\"\x80\"", "1: invalid UTF-8"},
        {"\"\xbf\"", "1: invalid UTF-8"},
        {"\"\xc0\x80\"", "1: invalid UTF-8"},
        {"\"\xc1\xbf\"", "1: invalid UTF-8"},
        {"\"\xc3\"", "1: invalid UTF-8"},
        {"\"\xc3", "1: invalid UTF-8"},
        {"\"\xc3(\"", "1: invalid UTF-8"},
        {"\"\xe0\x80\x80\"", "1: invalid UTF-8"},
        {"\"\xe0\x9f\xbf\"", "1: invalid UTF-8"},
        {"\"\xe4\xb8\"", "1: invalid UTF-8"},
        {"\"\xe4\xb8", "1: invalid UTF-8"},
        {"\"\xed\xa0\x80\"", "1: invalid UTF-8"},
        {"\"\xed\xbf\xbf\"", "1: invalid UTF-8"},
        {"\"\xed\xa0\xbd\xed\xb8\x80\"", "1: invalid UTF-8"},
        {"\"\xf0\x80\x80\x80\"", "1: invalid UTF-8"},
        {"\"\xf0\x8f\xbf\xbf\"", "1: invalid UTF-8"},
        {"\"\xf4\x90\x80\x80\"", "1: invalid UTF-8"},
        {"\"\xf5\x80\x80\x80\"", "1: invalid UTF-8"},
        {"\"\xf0\x9f\x98\"", "1: invalid UTF-8"},
        {"\"\xf8\x88\x80\x80\x80\"", "1: invalid UTF-8"},
        {"\"\xfe\"", "1: invalid UTF-8"},
        {"\"\xff\"", "1: invalid UTF-8"},
        {"\"ok\xc3\xa9\xe4\xb8\xad\xff\"", "8: invalid UTF-8"},
        {"{\"\xff\":1}", "2: invalid UTF-8"},
    };
    CHECK_REFUSALS(refusals);
}

static void what_postgresql_cannot_hold_is_patched(void **state)
{
    check_patched("\"\\u0000\"", "\"\\ufffd\"");
    check_patched("\"a\\u0000b\\u0000\"", "\"a\\ufffdb\\ufffd\"");
    check_patched("{\"k\\u0000\":\"v\\u0000\"}", "{\"k\\ufffd\":\"v\\ufffd\"}");
    check_patched("\"\\\\u0000\"", "\"\\\\u0000\"");
    check_patched("\"\\\\\\u0000\"", "\"\\\\\\ufffd\"");
    check_patched("\"\\ud800\"", "\"\\ufffd\"");
    check_patched("\"\\udbff\"", "\"\\ufffd\"");
    check_patched("\"\\udc00\"", "\"\\ufffd\"");
    check_patched("\"\\uDFFF\"", "\"\\ufffd\"");
}

static void a_lone_surrogate_leaves_its_neighbours_alone(void **state)
{
    check_patched("\"\\ud83dx\"", "\"\\ufffdx\"");
    check_patched("\"\\ud83d\\n\"", "\"\\ufffd\\n\"");
    check_patched("\"\\ud83d\\u0041\"", "\"\\ufffd\\u0041\"");
    check_patched("\"\\ud83d\\u0000\"", "\"\\ufffd\\ufffd\"");
    check_patched("\"\\ud83d\\\\ude00\"", "\"\\ufffd\\\\ude00\"");
    check_patched("\"\\ud83d\\ud83d\\ude00\"", "\"\\ufffd\\ud83d\\ude00\"");
    check_patched("\"\\ude00\\ud83d\"", "\"\\ufffd\\ufffd\"");
    check_patched("\"\\ude00\\ud83d\\ude00\\ude00\"", "\"\\ufffd\\ud83d\\ude00\\ufffd\"");
    check_patched("\"\\ud83d\xc3\xa9\"", "\"\\ufffd\xc3\xa9\"");
}

static void numbers_may_be_long_but_not_endless(void **state)
{
    char text[JSON_NUMBER_MAX + 1];
    memset(text, '1', sizeof(text));
    check_taken((struct slice){text, JSON_NUMBER_MAX});
    check_refused((struct slice){text, sizeof(text)}, "invalid JSON at byte 0: number too long");
}

static void depth_is_bounded_whatever_it_is_made_of(void **state)
{
    check_taken(SLICE_LITERAL("[[[[[[[[[[[[[[[[[[[[1,2],[]]]]]]]]]]]]]]]]]]]]"));
    check_refused(SLICE_LITERAL("[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]"),
                  "invalid JSON at byte 20: nested too deeply");
    check_refused(SLICE_LITERAL("[[[[[[[[[[[[[[[[[[[[{}]]]]]]]]]]]]]]]]]]]]"),
                  "invalid JSON at byte 20: nested too deeply");
    check_refused(SLICE_LITERAL("[[[[[[[[[[[[[[[[[[[{\"a\":{}}]]]]]]]]]]]]]]]]]]]"),
                  "invalid JSON at byte 24: nested too deeply");
    /* Breadth is not depth. */
    check_taken(
        SLICE_LITERAL("[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]]"));
}

static void a_hundred_thousand_brackets_do_no_harm(void **state)
{
    enum { MANY = 100000 };
    char *text = malloc(MANY);
    assert_non_null(text);
    memset(text, '[', MANY);
    check_refused((struct slice){text, MANY}, "invalid JSON at byte 20: nested too deeply");
    free(text);
}

static void skipping_goes_as_deep_as_the_bound(void **state)
{
    struct arena arena = ARENA_EMPTY;
    struct json_reader reader;
    char text[2 * JSON_DEPTH_MAX];
    for (int i = 0; i < JSON_DEPTH_MAX; i++) {
        text[i] = '[';
        text[JSON_DEPTH_MAX + i] = ']';
    }
    json_reader_init(&reader, text, sizeof(text), JSON_DEPTH_MAX, &arena);
    assert_true(json_skip(&reader, NULL));
    assert_int_equal(json_end(&reader, NULL), ERR_OK);
    arena_finish(&arena);
}

/* Each prefix of a valid document is refused, and nothing is read beyond it. */
static void a_text_cut_anywhere_is_refused(void **state)
{
    static const char text[] = "{\"a\":[1,-2.5e+3,true,null],\"b\\u00e9\xc3\xa9\":{\"c\":"
                               "\"\\ud83d\\ude00 0123456789abcdef\"}}";
    for (size_t len = 0; len < sizeof(text) - 1; len++) {
        struct verdict verdict = judge_both((struct slice){text, len});
        assert_int_equal(verdict.err, ERR_INVALID);
        free(verdict.text);
    }
    check_taken(slice_from(text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_texts_are_taken_unchanged),
        cmocka_unit_test(broken_structure_is_refused_at_its_byte),
        cmocka_unit_test(wrong_words_and_numbers_are_refused),
        cmocka_unit_test(wrong_strings_are_refused),
        cmocka_unit_test(invalid_utf8_is_refused),
        cmocka_unit_test(what_postgresql_cannot_hold_is_patched),
        cmocka_unit_test(a_lone_surrogate_leaves_its_neighbours_alone),
        cmocka_unit_test(numbers_may_be_long_but_not_endless),
        cmocka_unit_test(depth_is_bounded_whatever_it_is_made_of),
        cmocka_unit_test(a_hundred_thousand_brackets_do_no_harm),
        cmocka_unit_test(skipping_goes_as_deep_as_the_bound),
        cmocka_unit_test(a_text_cut_anywhere_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
