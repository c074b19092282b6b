/* decode_batch: a body as a whole: its records, their order, what is refused, bare traces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "decoded.h"

#define OBS(id, trace) "{\"id\":\"" id "\",\"traceId\":\"" trace "\"}"

static void open_text(struct decoded *d, const char *text)
{
    decoded_open(d, text, strlen(text));
}

static void assert_counts(const struct decoded *d, uint32_t rows, uint32_t records,
                          uint32_t refused)
{
    if (d->err != ERR_OK) {
        print_error("%s\n", d->error.text);
    }
    assert_int_equal(d->err, ERR_OK);
    assert_int_equal(d->collect.row_count, rows);
    assert_int_equal(d->collect.record_count, records);
    assert_int_equal(d->collect.refused_count, refused);
}

static void assert_value(struct decoded *d, const struct row *row, uint32_t column,
                         const char *expected)
{
    assert_non_null(row);
    const char *value = decoded_value(d, row, column);
    if (expected == NULL) {
        assert_null(value);
        return;
    }
    assert_non_null(value);
    assert_string_equal(value, expected);
}

static void nothing_to_store_is_fine(void **state)
{
    static const char *const texts[] = {
        "{}",
        " { } ",
        "{\"trace\":null,\"observations\":[]}",
        "{\"trace\":null,\"observations\":null}",
        "{\"whatever\":[{\"id\":1}],\"Trace\":{}}",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct decoded d;
        open_text(&d, texts[i]);
        assert_counts(&d, 0, 0, 0);
        decoded_close(&d);
    }
}

static void other_bodies_are_refused_whole(void **state)
{
    static const struct {
        const char *text;
        const char *error;
    } cases[] = {
        {"", "invalid JSON at byte 0: expected a value"},
        {"[]", "the body is not an object"},
        {"null", "the body is not an object"},
        {"[", "invalid JSON at byte 1: expected a value"},
        {"{\"observations\":{}}", "observations: not an array"},
        {"{\"observations\":\"x\"}", "observations: not an array"},
        {"{\"trace\":{\"id\":\"" TRACE_A "\"}", NULL},
        {"{\"trace\":{\"id\":\"" TRACE_A "\",}}", NULL},
        {"{\"trace\":{\"id\":\"\xff\"}}", NULL},
        {"{} {}", "invalid JSON at byte 3: text after the value"},
        {"{\"observations\":[" OBS(OBSERVATION_A, TRACE_A) ",]}", NULL},
        {"{\"a\":01}", NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct decoded d;
        open_text(&d, cases[i].text);
        assert_int_equal(d.err, ERR_INVALID);
        if (cases[i].error != NULL) {
            assert_string_equal(d.error.text, cases[i].error);
        } else {
            assert_non_null(strstr(d.error.text, "invalid JSON at byte "));
        }
        decoded_close(&d);
    }
}

static void a_trace_and_its_observations(void **state)
{
    struct decoded d;
    open_text(&d, "{\"trace\":{\"id\":\"" TRACE_A "\",\"name\":\"t\"},\"observations\":[" OBS(
                      OBSERVATION_A, TRACE_A) "," OBS(OBSERVATION_B, TRACE_A) "]}");
    assert_counts(&d, 3, 3, 0);
    assert_int_equal(collect_count_stored(&d.collect, ROW_TRACE), 1);
    assert_int_equal(collect_count_stored(&d.collect, ROW_OBSERVATION), 2);
    const struct row *trace = decoded_row(&d, ROW_TRACE, TRACE_A);
    assert_value(&d, trace, TRACE_NAME, "t");
    assert_int_equal(trace->version, DECODED_RECEIVED_US);
    decoded_close(&d);
}

static void later_records_have_later_versions(void **state)
{
    struct decoded d;
    open_text(&d, "{\"observations\":[" OBS(OBSERVATION_A, TRACE_A) ",7," OBS(
                      OBSERVATION_B, TRACE_A) "],\"trace\":{\"id\":\"" TRACE_A "\"}}");
    assert_int_equal(decoded_row(&d, ROW_OBSERVATION, OBSERVATION_A)->version, DECODED_RECEIVED_US);
    assert_int_equal(decoded_row(&d, ROW_OBSERVATION, OBSERVATION_B)->version,
                     DECODED_RECEIVED_US + 1);
    decoded_close(&d);
}

static void an_observation_without_its_trace_brings_a_bare_one(void **state)
{
    struct decoded d;
    open_text(
        &d, "{\"trace\":{\"id\":\"" TRACE_B "\"},\"observations\":["
            "{\"id\":\"" OBSERVATION_A "\",\"traceId\":\"" TRACE_A "\"},"
            "{\"id\":\"" OBSERVATION_A "\",\"traceId\":\"" TRACE_B "\"},"
            "{\"id\":\"" OBSERVATION_B "\",\"traceId\":\"" TRACE_A "\",\"environment\":\"one\"},"
            "{\"id\":\"" OBSERVATION_B "\",\"traceId\":\"" TRACE_A "\",\"environment\":\"two\"}]}");
    assert_counts(&d, 6, 5, 0);
    const struct row *bare = decoded_row(&d, ROW_TRACE, TRACE_A);
    assert_value(&d, bare, TRACE_ENVIRONMENT, "one");
    assert_value(&d, bare, TRACE_TIMESTAMP, NULL);
    assert_value(&d, bare, TRACE_NAME, NULL);
    assert_true(bare->version == version_weak(DECODED_RECEIVED_US));
    assert_true(decoded_row(&d, ROW_TRACE, TRACE_B)->version == DECODED_RECEIVED_US);
    decoded_close(&d);
}

static void a_refused_trace_leaves_its_observations_a_bare_one(void **state)
{
    struct decoded d;
    open_text(&d, "{\"trace\":{\"id\":\"" TRACE_A
                  "\",\"name\":1},\"observations\":[" OBS(OBSERVATION_A, TRACE_A) "]}");
    assert_counts(&d, 2, 2, 1);
    assert_string_equal(decoded_refusal(&d, 0), "trace.name: not a string");
    assert_true(decoded_row(&d, ROW_TRACE, TRACE_A)->version == version_weak(DECODED_RECEIVED_US));
    decoded_close(&d);
}

static void a_bad_record_is_named_and_harms_no_other(void **state)
{
    struct decoded d;
    open_text(&d, "{\"trace\":[1],\"observations\":[7," OBS(
                      OBSERVATION_A, TRACE_A) ",null,{},{\"id\":\"" OBSERVATION_B
                                              "\",\"traceId\":\"" TRACE_A
                                              "\",\"startTime\":\"x\",\"input\":{\"a\":[{}]}}]}");
    assert_counts(&d, 2, 6, 5);
    assert_string_equal(decoded_refusal(&d, 0), "observations[0]: not an object");
    assert_string_equal(decoded_refusal(&d, 1), "observations[2]: not an object");
    assert_string_equal(decoded_refusal(&d, 2), "observations[3].traceId: missing");
    assert_string_equal(decoded_refusal(&d, 3), "observations[4].startTime: not an RFC 3339 time "
                                                "with an offset");
    assert_null(decoded_refusal(&d, 4)); /* only so many are listed; all are counted */
    assert_true(slice_is(collect_refusal(&d.collect, 3).id, OBSERVATION_B));
    assert_int_equal(collect_refusal(&d.collect, 0).id.len, 0);
    decoded_close(&d);
}

#define DEEP "[[[[[[[[[[[[[[[[[{\"a\":1}]]]]]]]]]]]]]]]]]" /* deeper than DECODED_DEPTH_MAX */

static void a_value_beyond_its_bound_harms_its_record_only(void **state)
{
    struct decoded d;
    open_text(&d, "{\"trace\":{\"input\":" DEEP ",\"id\":\"" TRACE_A "\"},\"more\":" DEEP
                  ",\"observations\":[" DEEP
                  "," OBS(OBSERVATION_A,
                          TRACE_A) ",{\"calculatedTotalCost\":1e1001,\"id\":\"" OBSERVATION_B
                                   "\",\"traceId\":\"" TRACE_A
                                   "\",\"startTime\":\"2026-01-05T10:00:00Z\"}]}");
    assert_counts(&d, 2, 4, 3);
    assert_string_equal(decoded_refusal(&d, 0), "observations[0]: not an object");
    assert_string_equal(decoded_refusal(&d, 1),
                        "observations[2].calculatedTotalCost: exponent out of range");
    assert_string_equal(decoded_refusal(&d, 2), "trace.input: nested too deeply");
    assert_true(slice_is(collect_refusal(&d.collect, 2).id, TRACE_A));
    assert_non_null(decoded_row(&d, ROW_OBSERVATION, OBSERVATION_A));
    decoded_close(&d);

    /* Nobody wants to know of the first two. */
    open_text(&d, "{\"trace\":{\"id\":\"" TRACE_A "\",\"unknown\":" DEEP ",\"input\":" DEEP
                  ",\"input\":1}}");
    assert_counts(&d, 1, 1, 0);
    assert_value(&d, decoded_row(&d, ROW_TRACE, TRACE_A), TRACE_INPUT, "1");
    decoded_close(&d);
}

static void the_last_of_repeated_parts_counts(void **state)
{
    struct decoded d;
    open_text(&d,
              "{\"trace\":{\"id\":\"" TRACE_A "\",\"name\":\"a\"},"
              "\"observations\":[1," OBS(
                  OBSERVATION_A, TRACE_A) "],"
                                          "\"trace\":{\"id\":\"" TRACE_B "\"},"
                                          "\"observations\":[" OBS(OBSERVATION_B, TRACE_B) "]}");
    assert_counts(&d, 2, 2, 0);
    assert_null(decoded_row(&d, ROW_TRACE, TRACE_A));
    assert_null(decoded_row(&d, ROW_OBSERVATION, OBSERVATION_A));
    assert_value(&d, decoded_row(&d, ROW_TRACE, TRACE_B), TRACE_NAME, NULL);
    assert_non_null(decoded_row(&d, ROW_OBSERVATION, OBSERVATION_B));
    decoded_close(&d);

    open_text(&d, "{\"trace\":5,\"trace\":null,\"observations\":5,\"observations\":null}");
    assert_counts(&d, 0, 0, 0);
    decoded_close(&d);
}

static void too_many_records_are_refused_whole(void **state)
{
    struct decoded d;
    open_text(&d, "{\"observations\":[0,1,2,3,4,5,6,7]}");
    assert_counts(&d, 0, 8, 8);
    decoded_close(&d);
    open_text(&d, "{\"observations\":[0,1,2,3,4,5,6,7,8]}");
    assert_int_equal(d.err, ERR_TOO_LARGE);
    assert_string_equal(d.error.text, "more than 8 records in one request (XTRACE_MAX_RECORDS)");
    decoded_close(&d);
    open_text(&d, "{\"observations\":[0,1,2,3,4,5,6,7],\"trace\":{}}");
    assert_int_equal(d.err, ERR_TOO_LARGE);
    decoded_close(&d);
}

static void a_receipt_refuses_the_record_of_a_row(void **state)
{
    struct decoded d;
    open_text(&d, "{\"trace\":{\"id\":\"" TRACE_B
                  "\"},\"observations\":[7," OBS(OBSERVATION_A, TRACE_A) "]}");
    assert_counts(&d, 3, 3, 1);
    for (uint32_t i = 0; i < 3; i++) {
        if (d.rows[i].kind == ROW_OBSERVATION) {
            collect_refuse_row(&d.collect, i, SLICE_LITERAL("too bad"));
            collect_refuse_row(&d.collect, i, SLICE_LITERAL("once is enough"));
        }
    }
    collect_refuse_row(&d.collect, 99, SLICE_LITERAL("there is no such row"));
    assert_int_equal(d.collect.refused_count, 2);
    assert_string_equal(decoded_refusal(&d, 1), "observations[1]: too bad");
    assert_true(slice_is(collect_refusal(&d.collect, 1).id, OBSERVATION_A));
    assert_int_equal(collect_count_stored(&d.collect, ROW_OBSERVATION), 0);
    assert_int_equal(collect_count_stored(&d.collect, ROW_TRACE), 1);
    decoded_close(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_to_store_is_fine),
        cmocka_unit_test(other_bodies_are_refused_whole),
        cmocka_unit_test(a_trace_and_its_observations),
        cmocka_unit_test(later_records_have_later_versions),
        cmocka_unit_test(an_observation_without_its_trace_brings_a_bare_one),
        cmocka_unit_test(a_refused_trace_leaves_its_observations_a_bare_one),
        cmocka_unit_test(a_bad_record_is_named_and_harms_no_other),
        cmocka_unit_test(a_value_beyond_its_bound_harms_its_record_only),
        cmocka_unit_test(the_last_of_repeated_parts_counts),
        cmocka_unit_test(too_many_records_are_refused_whole),
        cmocka_unit_test(a_receipt_refuses_the_record_of_a_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
