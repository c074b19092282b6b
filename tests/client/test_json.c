/* client/json.c and client/text.c: what is JSON, what a value says, what is written. */
#include "client/json.h"
#include "client/text.h"
#include "tests/client/support.h"

static bool is_valid(const char *text)
{
    return xtrace_json_is_valid(text, strlen(text), XTRACE_JSON_PAYLOAD_DEPTH);
}

static void json_is_told_from_what_is_none(void **state)
{
    static const char *const good[] = {
        "0",
        "-0.5e+3",
        " true ",
        "null",
        "\"\"",
        "[]",
        "{}",
        "[1,2,[3]]",
        "{\"a\":{\"b\":[null]}}",
        "\"\\u00e9\\\"\\/\"",
        "123456789012345678901234567890",
        "1e400",
        "\"\xc3\xa9\"",
    };
    static const char *const bad[] = {
        "",
        " ",
        "01",
        "1.",
        ".5",
        "+1",
        "tru",
        "nul",
        "[1,]",
        "{\"a\":1,}",
        "{a:1}",
        "[1 2]",
        "[",
        "{\"a\"",
        "\"\n\"",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"",
        "1 2",
        "{}{}",
        "\"\xff\"",
        "\"\xc0\x80\"",
        "\"\xed\xa0\x80\"",
        "\"\xf5\x80\x80\x80\"",
        "\"\xe2\x82\"",
        "1e",
        "--1",
        "[}",
        "'a'",
        "\"\\",
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(is_valid(good[i]));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(is_valid(bad[i]));
    }
}

static void depth_is_capped(void **state)
{
    char text[400] = "";
    memset(text, '[', 128);
    memset(text + 128, ']', 128);
    assert_true(xtrace_json_is_valid(text, 256, 128));
    assert_false(xtrace_json_is_valid(text, 256, 127));
    char *deep = malloc(1000000);
    memset(deep, '[', 1000000);
    assert_false(xtrace_json_is_valid(deep, 1000000, XTRACE_JSON_DEPTH));
    free(deep);
}

static struct xtrace_slice parse(const char *text)
{
    return xtrace_json_parse(text, strlen(text));
}

static void members_are_found_with_their_spelling(void **state)
{
    struct xtrace_slice object =
        parse(" {\"a\" : 12345678901234567890.10 , \"b\":[1, {\"c\":\"x\"} ],\"e\":{}} ");
    assert_true(xtrace_slice_is(xtrace_json_find(object, "a"), "12345678901234567890.10"));
    assert_true(xtrace_slice_is(xtrace_json_find(object, "b"), "[1, {\"c\":\"x\"} ]"));
    assert_null(xtrace_json_find(object, "c").data);
    assert_null(xtrace_json_find(parse("[1]"), "a").data);
    assert_null(xtrace_json_find((struct xtrace_slice){NULL, 0}, "a").data);
}

static void elements_come_in_turn(void **state)
{
    struct xtrace_json_walk walk;
    struct xtrace_slice value;
    assert_true(xtrace_json_enter(&walk, parse("[ 1 , \"two\" ]"), '['));
    assert_true(xtrace_json_next(&walk, NULL, &value));
    assert_true(xtrace_slice_is(value, "1"));
    assert_true(xtrace_json_next(&walk, NULL, &value));
    assert_true(xtrace_slice_is(value, "\"two\""));
    assert_false(xtrace_json_next(&walk, NULL, &value));
    assert_true(xtrace_json_enter(&walk, parse("[]"), '['));
    assert_false(xtrace_json_next(&walk, NULL, &value));
    assert_false(xtrace_json_enter(&walk, parse("{}"), '['));
}

static void check_string(const char *json, const char *expected)
{
    char *text = xtrace_json_string(parse(json));
    assert_non_null(text);
    assert_string_equal(text, expected);
    free(text);
}

static void strings_are_unescaped(void **state)
{
    check_string("\"\"", "");
    check_string("\"a\\n\\t\\\"\\\\\\/\\b\\f\\r\"", "a\n\t\"\\/\b\f\r");
    check_string("\"\\u00e9\\u20ac\\ud83d\\ude00\"", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
    check_string("\"\\ud83d\"", "\xef\xbf\xbd");
    check_string("\"\\ude00x\"", "\xef\xbf\xbdx");
    check_string("\"\\ud83d\\u0041\"", "\xef\xbf\xbd"
                                       "A");
    check_string("\"\\u0000\"", "\xef\xbf\xbd");
    assert_null(xtrace_json_string(parse("12")));
    assert_null(xtrace_json_string((struct xtrace_slice){NULL, 0}));
}

static void check_json(const char *word, const char *expected)
{
    struct xtrace_text text = XTRACE_TEXT_EMPTY;
    xtrace_text_put_json(&text, word, strlen(word));
    assert_string_equal(text.data, expected);
    assert_true(is_valid(text.data));
    xtrace_text_finish(&text);
}

static void any_bytes_become_a_json_string(void **state)
{
    check_json("plain", "\"plain\"");
    check_json("q\"b\\\n\r\t\x01\x7f", "\"q\\\"b\\\\\\n\\r\\t\\u0001\x7f\"");
    check_json("\xe4\xb8\xad\xe6\x96\x87", "\"\xe4\xb8\xad\xe6\x96\x87\"");
    check_json("a\xff\xc3z\xed\xa0\x80",
               "\"a\xef\xbf\xbd\xef\xbf\xbdz\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

static void a_url_is_encoded(void **state)
{
    struct xtrace_text text = XTRACE_TEXT_EMPTY;
    xtrace_text_put_url(&text, "a-Z_0.9~ &=+/?#%\xc3\xa9");
    assert_string_equal(text.data, "a-Z_0.9~%20%26%3D%2B%2F%3F%23%25%C3%A9");
    xtrace_text_finish(&text);
}

static void check_time(int64_t time_us, const char *expected)
{
    struct xtrace_text text = XTRACE_TEXT_EMPTY;
    assert_true(xtrace_text_put_time(&text, time_us));
    assert_string_equal(text.data, expected);
    xtrace_text_finish(&text);
}

static void times_are_written_to_the_microsecond(void **state)
{
    check_time(1767225600000000, "2026-01-01T00:00:00.000000Z");
    check_time(1767225600000001, "2026-01-01T00:00:00.000001Z");
    check_time(-1, "1969-12-31T23:59:59.999999Z");
    check_time(INT64_C(253402300799) * 1000000, "9999-12-31T23:59:59.000000Z");
    struct xtrace_text text = XTRACE_TEXT_EMPTY;
    assert_false(xtrace_text_put_time(&text, INT64_MAX));
    assert_false(xtrace_text_put_time(&text, INT64_MIN));
    assert_int_equal(text.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_is_told_from_what_is_none),
        cmocka_unit_test(depth_is_capped),
        cmocka_unit_test(members_are_found_with_their_spelling),
        cmocka_unit_test(elements_come_in_turn),
        cmocka_unit_test(strings_are_unescaped),
        cmocka_unit_test(any_bytes_become_a_json_string),
        cmocka_unit_test(a_url_is_encoded),
        cmocka_unit_test(times_are_written_to_the_microsecond),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
