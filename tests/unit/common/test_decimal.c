/* decimal: the bytes that PostgreSQL 15 sends for the same text (numeric_send). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "common/decimal.h"

struct known {
    const char *number;
    const char *hex;
};

/* SELECT encode(numeric_send(v::numeric), 'hex') */
static const struct known known[] = {
    {"0", "0000000000000000"},
    {"-0", "0000000000000000"},
    {"0.00", "0000000000000002"},
    {"0e5", "0000000000000000"},
    {"0e-3", "0000000000000003"},
    {"1", "00010000000000000001"},
    {"-1", "00010000400000000001"},
    {"1.0", "00010000000000010001"},
    {"1.50", "000200000000000200011388"},
    {"10000", "00010001000000000001"},
    {"9999", "0001000000000000270f"},
    {"10001", "000200010000000000010001"},
    {"99990000", "0001000100000000270f"},
    {"100000000", "00010002000000000001"},
    {"0.1", "0001ffff0000000103e8"},
    {"0.0001", "0001ffff000000040001"},
    {"0.00001", "0001fffe0000000503e8"},
    {"0.00012345", "0002ffff0000000800010929"},
    {"0.000099990001", "0002fffe0000000c270f0001"},
    {"123456789.987654321", "0006000200000009000109291a852694153803e8"},
    {"-12345.678e-2", "0003000040000005007b11d71f40"},
    {"1e3", "000100000000000003e8"},
    {"1E+3", "000100000000000003e8"},
    {"1.5e3", "000100000000000005dc"},
    {"1.5e-3", "0001ffff00000004000f"},
    {"12e-5", "0002ffff00000005000107d0"},
    {"0.3e1", "00010000000000000003"},
    {"123e-2", "0002000000000002000108fc"},
    {"1e29", "0001000700000000000a"},
    {"1e-60", "0001fff10000003c0001"},
};

static void append_hex(char *out, const struct buf *buf)
{
    for (size_t i = 0; i < buf->len; i++) {
        sprintf(out + 2 * i, "%02x", (unsigned char)buf->data[i]);
    }
}

static void binary_is_what_postgresql_sends(void **state)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        struct buf buf = BUF_EMPTY;
        char hex[256] = "";
        assert_true(decimal_is_storable(slice_from(known[i].number)));
        decimal_append_binary(&buf, slice_from(known[i].number));
        append_hex(hex, &buf);
        assert_string_equal(hex, known[i].hex);
        buf_finish(&buf);
    }
}

static void bounds_are_on_digits_that_count(void **state)
{
    static const char *const storable[] = {
        "999999999999999999999999999999",
        "0.999999999999999999999999999999999999999999999999999999999999",
        "9.99999999999999999999999999999e29",
        "100000000000000000000000000000000000000000e-12",
        "0.0000000000000000000000000000000000000000000000000000000000010000000000000000",
        "0e1000",
        "0e-1000",
    };
    static const char *const refused[] = {
        "1000000000000000000000000000000",
        "1e30",
        "1e-61",
        "0.0000000000000000000000000000000000000000000000000000000000001",
        "1e99999999999999999999",
        "1e-99999999999999999999",
    };
    for (size_t i = 0; i < sizeof(storable) / sizeof(storable[0]); i++) {
        assert_true(decimal_is_storable(slice_from(storable[i])));
    }
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        assert_false(decimal_is_storable(slice_from(refused[i])));
    }
}

static void what_is_no_json_number_is_not_storable(void **state)
{
    static const char *const texts[] = {"",      "-",     "+1",  "01",       "1.",   ".5",  "1e",
                                        "1e+",   "1x",    "0x1", " 1",       "1 ",   "-.5", "--1",
                                        "1.5.5", "1e5e5", "NaN", "Infinity", "1e5.0"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_false(decimal_is_storable(slice_from(texts[i])));
    }
    assert_false(decimal_is_storable((struct slice){NULL, 0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(binary_is_what_postgresql_sends),
        cmocka_unit_test(bounds_are_on_digits_that_count),
        cmocka_unit_test(what_is_no_json_number_is_not_storable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
