/* rfc3339: times in and out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/rfc3339.h"

static int64_t parse(const char *text)
{
    int64_t us;
    if (!rfc3339_parse(slice_from(text), &us)) {
        fail_msg("refused: %s", text);
    }
    return us;
}

static void assert_same(const char *text, const char *utc)
{
    char out[RFC3339_SIZE];
    assert_int_equal(rfc3339_format(parse(text), out), strlen(utc));
    assert_string_equal(out, utc);
}

static void known_times_are_known_numbers(void **state)
{
    assert_int_equal(parse("1970-01-01T00:00:00Z"), 0);
    assert_int_equal(parse("1969-12-31T23:59:59.999999Z"), -1);
    assert_int_equal(parse("2001-09-09T01:46:40Z"), INT64_C(1000000000000000));
    assert_int_equal(parse("2026-02-28T12:34:56.789Z"), INT64_C(1772282096789000));
    assert_int_equal(parse("0001-01-01T00:00:00Z"), RFC3339_MIN_US);
    assert_int_equal(parse("9999-12-31T23:59:59.999999Z"), RFC3339_MAX_US);
}

static void offsets_are_applied(void **state)
{
    assert_same("2026-01-01T00:00:00+01:00", "2025-12-31T23:00:00.000000Z");
    assert_same("2026-01-01T00:00:00-05:30", "2026-01-01T05:30:00.000000Z");
    assert_same("2026-01-01T00:00:00-00:00", "2026-01-01T00:00:00.000000Z");
    assert_same("2026-01-01T00:00:00+23:59", "2025-12-31T00:01:00.000000Z");
    assert_same("0000-12-31T23:30:00-01:00", "0001-01-01T00:30:00.000000Z");
}

static void spellings_of_the_same_time(void **state)
{
    assert_same("2026-01-01t00:00:00z", "2026-01-01T00:00:00.000000Z");
    assert_same("2026-01-01 00:00:00Z", "2026-01-01T00:00:00.000000Z");
    assert_same("2026-01-01T12:34Z", "2026-01-01T12:34:00.000000Z");
    assert_same("2026-01-01T12:34+01:00", "2026-01-01T11:34:00.000000Z");
}

static void fractions_are_cut_to_microseconds(void **state)
{
    assert_same("2026-01-01T00:00:00.1Z", "2026-01-01T00:00:00.100000Z");
    assert_same("2026-01-01T00:00:00.000001Z", "2026-01-01T00:00:00.000001Z");
    assert_same("2026-01-01T00:00:00.9999999Z", "2026-01-01T00:00:00.999999Z");
    assert_same("2026-01-01T00:00:00.1234567890123456789+00:00", "2026-01-01T00:00:00.123456Z");
    assert_same("1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.500000Z");
}

static void calendar_and_leap_seconds(void **state)
{
    assert_same("2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000000Z");
    assert_same("2000-02-29T00:00:00Z", "2000-02-29T00:00:00.000000Z");
    assert_same("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000000Z");
    assert_same("2016-12-31T23:59:60.5Z", "2017-01-01T00:00:00.500000Z");
    assert_same("1600-03-01T00:00:00Z", "1600-03-01T00:00:00.000000Z");
}

static void anything_else_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "2026",
        "2026-01-01",
        "2026-01-01T00:00:00",
        "2026-01-01T00:00",
        "2026-01-01T00:00:Z",
        "2026-01-01T00:00.5Z",
        "2026-01-01T00Z",
        "2026-01-01T00:00:00+01",
        "2026-01-01T00:00:00+0100",
        "2026-01-01T00:00:00+1:00",
        "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00+01:60",
        "2026-01-01T00:00:00 Z",
        "2026-01-01T00:00:00ZZ",
        "2026-01-01T00:00:00Z ",
        " 2026-01-01T00:00:00Z",
        "2026-01-01  00:00:00Z",
        "2026-01-01_00:00:00Z",
        "2026-1-1T00:00:00Z",
        "26-01-01T00:00:00Z",
        "12026-01-01T00:00:00Z",
        "-2026-01-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "2026-01-32T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:61Z",
        "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00,5Z",
        "2026-01-01T00:00:00.5",
        "2026-01-01T-1:00:00Z",
        "2026/01/01T00:00:00Z",
        "20260101T000000Z",
        "1767225600",
        "1767225600000",
        "now",
        "2026-W01-1T00:00:00Z",
        "0000-12-31T23:59:59Z",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "9999-12-31T23:59:60Z",
        "2026-01-01T00:00:00\xe2\x88\x92\x30\x35:00",
    };
    int64_t us = 42;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (rfc3339_parse(slice_from(texts[i]), &us)) {
            fail_msg("taken: %s", texts[i]);
        }
    }
    assert_false(rfc3339_parse((struct slice){"2026-01-01T00:00:00Z\0", 21}, &us));
    assert_int_equal(us, 42);
}

static void what_is_written_reads_back(void **state)
{
    /* Odd steps through the whole range. */
    for (int64_t us = RFC3339_MIN_US; us <= RFC3339_MAX_US; us += INT64_C(7777777777777777) / 100) {
        char text[RFC3339_SIZE];
        rfc3339_format(us, text);
        assert_int_equal(parse(text), us);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_times_are_known_numbers),
        cmocka_unit_test(offsets_are_applied),
        cmocka_unit_test(spellings_of_the_same_time),
        cmocka_unit_test(fractions_are_cut_to_microseconds),
        cmocka_unit_test(calendar_and_leap_seconds),
        cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(what_is_written_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
