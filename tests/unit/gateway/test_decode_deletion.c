/* decode_deletion: which traces are to go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "common/buf.h"
#include "gateway/ingest/decode_deletion.h"
#include "tests/unit/gateway/decoded.h"

#define HYPHENATED "0a000000-0000-4000-8000-00000000abcd"
#define BARE       "0a00000000004000800000000000abcd"

static void open_text(struct decoded *decoded, const char *text)
{
    decoded_open_by(decoded, decode_deletion, text, strlen(text));
}

static void check_ids(struct decoded *decoded, const char *const *ids, uint32_t count)
{
    assert_int_equal(decoded->err, ERR_OK);
    assert_int_equal(decoded->collect.row_count, count);
    for (uint32_t i = 0; i < count; i++) {
        const struct row *row = &decoded->rows[i];
        assert_int_equal(row->kind, ROW_DELETION);
        assert_string_equal(decoded_value(decoded, row, DELETION_ID), ids[i]);
        assert_string_equal(decoded_value(decoded, row, DELETION_TARGET), "trace");
    }
}

static void check_error(const char *text, const char *message)
{
    struct decoded decoded;
    open_text(&decoded, text);
    assert_int_equal(decoded.err, ERR_INVALID);
    assert_non_null(strstr(decoded.error.text, message));
    decoded_close(&decoded);
}

static void ids_are_taken_as_they_are(void **state)
{
    struct decoded decoded;
    open_text(&decoded, "{\"x\":[1],\"traceIds\":[\"order #42/\\u00fc\",\"b\"]}");
    check_ids(&decoded, (const char *const[]){"order #42/ü", "b"}, 2);
    assert_int_equal(decoded.collect.record_count, 2);
    decoded_close(&decoded);
}

static void a_uuid_goes_under_each_spelling(void **state)
{
    struct decoded decoded;
    open_text(&decoded, "{\"traceIds\":[\"" HYPHENATED "\",\"" BARE "\"]}");
    check_ids(&decoded, (const char *const[]){HYPHENATED, BARE, BARE, HYPHENATED}, 4);
    decoded_close(&decoded);
    open_text(&decoded, "{\"traceIds\":[\"{0A000000-0000-4000-8000-00000000ABCD}\"]}");
    check_ids(&decoded,
              (const char *const[]){"{0A000000-0000-4000-8000-00000000ABCD}", HYPHENATED, BARE}, 3);
    assert_int_equal(decoded.collect.record_count, 1);
    decoded_close(&decoded);
}

static void of_a_repeated_key_the_last_counts(void **state)
{
    struct decoded decoded;
    open_text(&decoded, "{\"traceIds\":[\"a\"],\"traceIds\":[\"b\"]}");
    check_ids(&decoded, (const char *const[]){"b"}, 1);
    decoded_close(&decoded);
}

static void what_is_wrong_is_named(void **state)
{
    check_error("[]", "not an object");
    check_error("{}", "traceIds: missing, or empty");
    check_error("{\"traceIds\":[]}", "traceIds: missing, or empty");
    check_error("{\"traceIds\":\"a\"}", "traceIds: not an array");
    check_error("{\"traceIds\":null}", "traceIds: not an array");
    check_error("{\"traceIds\":[\"a\",7]}", "traceIds[1]: not a string");
    check_error("{\"traceIds\":[\"\"]}", "traceIds[0]: empty");
    check_error("{\"traceIds\":[\"a\\r\"]}", "traceIds[0]: holds a carriage return");
    check_error("{\"traceIds\":[\"a\",]}", "invalid JSON");
    check_error("{\"traceIds\":[\"a\"", "invalid JSON");
}

static void a_thousand_ids_are_the_most(void **state)
{
    struct decoded decoded;
    struct buf text = BUF_EMPTY;
    buf_append_text(&text, "{\"traceIds\":[\"0\"");
    for (int i = 1; i < 1000; i++) {
        buf_printf(&text, ",\"%d\"", i);
    }
    size_t len = text.len;
    buf_append_text(&text, "]}");
    decoded_open_by(&decoded, decode_deletion, text.data, text.len);
    assert_int_equal(decoded.err, ERR_OK);
    assert_int_equal(decoded.collect.row_count, 1000);
    decoded_close(&decoded);
    text.len = len;
    buf_append_text(&text, ",\"x\"]}");
    decoded_open_by(&decoded, decode_deletion, text.data, text.len);
    assert_int_equal(decoded.err, ERR_INVALID);
    decoded_close(&decoded);
    buf_finish(&text);
}

static void a_path_without_a_possible_id_collects_nothing(void **state)
{
    struct collect collect;
    struct buf longest = BUF_EMPTY;
    collect_init(&collect, 1);
    for (int i = 0; i <= ROW_ID_MAX; i++) {
        buf_append_char(&longest, 'x');
    }
    decode_deletion_path("trace", buf_slice(&longest), 1, &collect);
    decode_deletion_path("trace", SLICE_LITERAL("a\rb"), 1, &collect);
    assert_int_equal(collect.row_count, 0);
    decode_deletion_path("trace", SLICE_LITERAL(BARE), 1, &collect);
    assert_int_equal(collect.row_count, 2);
    collect_finish(&collect);
    buf_finish(&longest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_taken_as_they_are),
        cmocka_unit_test(a_uuid_goes_under_each_spelling),
        cmocka_unit_test(of_a_repeated_key_the_last_counts),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(a_thousand_ids_are_the_most),
        cmocka_unit_test(a_path_without_a_possible_id_collects_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
