/* utf8: each first byte with each second one, against the ranges of RFC 3629. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/utf8.h"

/* The straightforward way: decode, then look at the code point. */
static size_t decode_length(const unsigned char *at, size_t len)
{
    size_t need = at[0] >= 0xf0 && at[0] <= 0xf7   ? 4
                  : at[0] >= 0xe0 && at[0] <= 0xef ? 3
                  : at[0] >= 0xc0 && at[0] <= 0xdf ? 2
                                                   : 0;
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (need == 0 || len < need) {
        return 0;
    }
    uint32_t code = at[0] & (0x7fU >> need);
    for (size_t i = 1; i < need; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
        code = code << 6 | (at[i] & 0x3f);
    }
    bool surrogate = code >= 0xd800 && code <= 0xdfff;
    return code >= least[need] && code <= 0x10ffff && !surrogate ? need : 0;
}

static void all_pairs_agree_with_decoding(void **state)
{
    static const unsigned char thirds[] = {0x00, 0x7f, 0x80, 0xbf, 0xc0, 0xff};
    for (int first = 0x80; first < 0x100; first++) {
        for (int second = 0; second < 0x100; second++) {
            for (size_t third = 0; third < sizeof(thirds); third++) {
                unsigned char bytes[] = {(unsigned char)first, (unsigned char)second, thirds[third],
                                         0x80};
                for (size_t len = 1; len <= 4; len++) {
                    assert_int_equal(utf8_char((char *)bytes, (char *)bytes + len),
                                     decode_length(bytes, len));
                }
            }
        }
    }
}

static void the_valid_prefix_ends_before_the_first_bad_byte(void **state)
{
    assert_int_equal(utf8_valid_prefix(SLICE_LITERAL("")), 0);
    assert_int_equal(utf8_valid_prefix(SLICE_LITERAL("a\xc3\xa9\xf0\x9f\x98\x80")), 7);
    assert_int_equal(utf8_valid_prefix(SLICE_LITERAL("ab\xff"
                                                     "c")),
                     2);
    assert_int_equal(utf8_valid_prefix(SLICE_LITERAL("ab\xc3")), 2);
    assert_int_equal(utf8_valid_prefix(SLICE_LITERAL("a\0b")), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_pairs_agree_with_decoding),
        cmocka_unit_test(the_valid_prefix_ends_before_the_first_bad_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
