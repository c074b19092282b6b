/* Metric points: each is a row or a refusal, equal label sets are one text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "decoded.h"
#include "gateway/ingest/decode_metrics.h"

#define TIME "\"timestamp\":\"2026-01-02T03:04:05.000006Z\""

static void open_text(struct decoded *decoded, const char *text)
{
    decoded_open_by(decoded, decode_metrics, text, strlen(text));
}

static void a_point_is_a_row(void **state)
{
    struct decoded decoded;
    open_text(&decoded,
              "{\"x\":1,\"metrics\":[{\"name\":\"n\",\"labels\":{\"b\":\"2\",\"a\":\"1\"},"
              "\"value\":-1.5e3," TIME ",\"y\":[]}]}");
    assert_int_equal(decoded.err, ERR_OK);
    assert_int_equal(decoded.collect.row_count, 1);
    const struct row *row = &decoded.rows[0];
    assert_int_equal(row->kind, ROW_METRIC);
    assert_string_equal(decoded_value(&decoded, row, METRIC_NAME), "n");
    assert_string_equal(decoded_value(&decoded, row, METRIC_LABELS), "{\"a\":\"1\",\"b\":\"2\"}");
    assert_string_equal(decoded_value(&decoded, row, METRIC_VALUE), "-1500");
    assert_string_equal(decoded_value(&decoded, row, METRIC_TIMESTAMP), "1767323045000006");
    assert_null(decoded_value(&decoded, row, METRIC_ENVIRONMENT));
    assert_int_equal(collect_count_stored(&decoded.collect, ROW_METRIC), 1);
    decoded_close(&decoded);
}

static void assert_labels(const char *labels, const char *canonical)
{
    struct decoded decoded;
    char text[1024];
    snprintf(text, sizeof(text),
             "{\"metrics\":[{\"name\":\"n\",\"value\":1," TIME ",\"labels\":%s}]}", labels);
    open_text(&decoded, text);
    assert_int_equal(decoded.collect.row_count, 1);
    assert_string_equal(decoded_value(&decoded, &decoded.rows[0], METRIC_LABELS), canonical);
    decoded_close(&decoded);
}

static void labels_have_one_spelling(void **state)
{
    assert_labels("null", "{}");
    assert_labels("{ }", "{}");
    assert_labels(" { \"b\" : \"2\" , \"a\" : \"1\" } ", "{\"a\":\"1\",\"b\":\"2\"}");
    assert_labels("{\"a\":\"0\",\"b\":\"2\",\"a\":\"1\"}", "{\"a\":\"1\",\"b\":\"2\"}");
    assert_labels("{\"aa\":\"1\",\"b\":\"2\",\"a\":\"3\"}",
                  "{\"a\":\"3\",\"aa\":\"1\",\"b\":\"2\"}");
    assert_labels("{\"\\u0061\":\"\\u00e9\\/\"}", "{\"a\":\"\xc3\xa9/\"}");
    assert_labels("{\"\":\"\\\"\\n\"}", "{\"\":\"\\\"\\n\"}");
    assert_labels("{\"\\u0000\":\"\\ud800\"}", "{\"\xef\xbf\xbd\":\"\xef\xbf\xbd\"}");
}

static void labels_of_the_point_before_are_not_this_ones(void **state)
{
    struct decoded decoded;
    open_text(&decoded,
              "{\"metrics\":[{\"name\":\"n\",\"value\":1," TIME ",\"labels\":{\"a\":\"1\"}},"
              "{\"name\":\"n\",\"value\":2," TIME ",\"labels\":{\"a\":\"1\"}},"
              "{\"name\":\"n\",\"value\":3," TIME ",\"labels\":{\"a\":1}},"
              "{\"name\":\"n\",\"value\":4," TIME "},"
              "{\"name\":\"n\",\"value\":5," TIME ",\"labels\":{\"a\":\"1\"}}]}");
    static const char *const wanted[] = {"{\"a\":\"1\"}", "{\"a\":\"1\"}", "{}", "{\"a\":\"1\"}"};
    assert_int_equal(decoded.collect.row_count, 4);
    for (int i = 0; i < 4; i++) {
        assert_string_equal(decoded_value(&decoded, &decoded.rows[i], METRIC_LABELS), wanted[i]);
    }
    assert_string_equal(decoded_refusal(&decoded, 0), "metrics[2].labels.a: not a string");
    assert_null(decoded_refusal(&decoded, 1));
    decoded_close(&decoded);
}

static void assert_refused(const char *point, const char *words)
{
    struct decoded decoded;
    char text[8192];
    snprintf(text, sizeof(text), "{\"metrics\":[%s,{\"name\":\"n\",\"value\":1," TIME "}]}", point);
    open_text(&decoded, text);
    assert_int_equal(decoded.err, ERR_OK);
    assert_string_equal(decoded_refusal(&decoded, 0), words);
    assert_int_equal(decoded.collect.refused_count, 1);
    assert_int_equal(decoded.collect.row_count, 1);
    decoded_close(&decoded);
}

static void a_bad_point_is_refused_by_itself(void **state)
{
    assert_refused("1", "metrics[0]: not an object");
    assert_refused("[]", "metrics[0]: not an object");
    assert_refused("{}", "metrics[0].name: missing");
    assert_refused("{\"name\":\"\",\"value\":1," TIME "}", "metrics[0].name: empty");
    assert_refused("{\"name\":\"n\"," TIME "}", "metrics[0].value: missing");
    assert_refused("{\"name\":\"n\",\"value\":1}", "metrics[0].timestamp: missing");
    assert_refused("{\"name\":\"n\",\"value\":1e400," TIME "}",
                   "metrics[0].value: beyond the range of a double");
    assert_refused("{\"name\":\"n\",\"value\":1,\"labels\":[]," TIME "}",
                   "metrics[0].labels: not an object");
    assert_refused("{\"name\":\"n\",\"value\":1,\"labels\":{\"k\":{\"a\":\"b\"}}," TIME "}",
                   "metrics[0].labels.k: not a string");
    assert_refused("{\"name\":\"n\",\"value\":1e1001," TIME "}",
                   "metrics[0].value: exponent out of range");
    assert_refused(
        "{\"name\":\"n\",\"value\":1,\"labels\":{\"k\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}," TIME "}",
        "metrics[0].labels: nested too deeply");
}

/* Appends count labels of that many bytes each. */
static char *make_labels(int count, int key_len, int value_len)
{
    struct buf text = BUF_EMPTY;
    buf_append_char(&text, '{');
    for (int i = 0; i < count; i++) {
        buf_printf(&text, "%s\"%0*d\":\"%0*d\"", i > 0 ? "," : "", key_len, i, value_len, i);
    }
    buf_append_text(&text, "}");
    buf_append_char(&text, '\0');
    size_t len;
    return buf_take(&text, &len);
}

static void assert_bounds(int count, int key_len, int value_len, const char *words)
{
    char *labels = make_labels(count, key_len, value_len);
    struct buf text = BUF_EMPTY;
    buf_printf(&text, "{\"metrics\":[{\"name\":\"n\",\"value\":1," TIME ",\"labels\":%s}]}",
               labels);
    struct decoded decoded;
    decoded_open_by(&decoded, decode_metrics, text.data, text.len);
    if (words == NULL) {
        assert_int_equal(decoded.collect.row_count, 1);
        assert_string_equal(decoded_value(&decoded, &decoded.rows[0], METRIC_LABELS), labels);
    } else {
        assert_string_equal(decoded_refusal(&decoded, 0), words);
    }
    decoded_close(&decoded);
    buf_finish(&text);
    free(labels);
}

static void labels_are_bounded(void **state)
{
    assert_bounds(64, 3, 3, NULL);
    assert_bounds(65, 3, 3, "metrics[0].labels: more than 64 labels");
    assert_bounds(1, 800, 2000, NULL);
    assert_bounds(1, 801, 1, "metrics[0].labels: a key is longer than 800 bytes");
    assert_bounds(1, 3, 2001, "metrics[0].labels.000: longer than 2000 bytes");
    assert_bounds(1, 101, 2001, "metrics[0].labels: longer than 2000 bytes");
    assert_bounds(8, 39, 2000, NULL);
    assert_bounds(9, 39, 2000, "metrics[0].labels: longer than 16384 bytes in all");
}

static void assert_body(const char *text, enum err err, const char *words)
{
    struct decoded decoded;
    open_text(&decoded, text);
    assert_int_equal(decoded.err, err);
    if (err != ERR_OK) {
        assert_string_equal(decoded.error.text, words);
    }
    decoded_close(&decoded);
}

static void a_body_that_is_none_is_refused_whole(void **state)
{
    assert_body("{\"metrics\":[]}", ERR_OK, NULL);
    assert_body("{}", ERR_INVALID, "metrics: missing");
    assert_body("{\"metrics\":null}", ERR_INVALID, "metrics: missing");
    assert_body("{\"metrics\":\"\"}", ERR_INVALID, "metrics: not an array");
    assert_body("[]", ERR_INVALID, "the body is not an object");
    assert_body("{\"metrics\":[1,1,1,1,1,1,1,1,1]}", ERR_TOO_LARGE,
                "more than 8 records in one request (XTRACE_MAX_RECORDS)");
    assert_body("{\"metrics\":[]} x", ERR_INVALID, "invalid JSON at byte 15: text after the value");
}

static void of_a_repeated_key_the_last_counts(void **state)
{
    struct decoded decoded;
    open_text(&decoded, "{\"metrics\":[{\"name\":\"a\",\"value\":1," TIME "},{}],"
                        "\"metrics\":[{\"name\":\"b\",\"value\":1," TIME "}]}");
    assert_int_equal(decoded.collect.row_count, 1);
    assert_int_equal(decoded.collect.refused_count, 0);
    assert_string_equal(decoded_value(&decoded, &decoded.rows[0], METRIC_NAME), "b");
    decoded_close(&decoded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_point_is_a_row),
        cmocka_unit_test(labels_have_one_spelling),
        cmocka_unit_test(labels_of_the_point_before_are_not_this_ones),
        cmocka_unit_test(a_bad_point_is_refused_by_itself),
        cmocka_unit_test(labels_are_bounded),
        cmocka_unit_test(a_body_that_is_none_is_refused_whole),
        cmocka_unit_test(of_a_repeated_key_the_last_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
