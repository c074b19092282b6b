/* Chunked bodies to the letter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/chunks.h"

/* The end state, the same however the bytes are cut. */
static enum chunks_state end_of(const char *body)
{
    struct chunks whole = {0};
    struct chunks pieces = {0};
    chunks_feed(&whole, slice_from(body));
    for (size_t i = 0; i < strlen(body); i++) {
        chunks_feed(&pieces, (struct slice){body + i, 1});
    }
    assert_int_equal(whole.state, pieces.state);
    return whole.state;
}

static void well_formed_bodies_end(void **state)
{
    static const char *const bodies[] = {
        "0\r\n\r\n",
        "5\r\nhello\r\n0\r\n\r\n",
        "a\r\n0123456789\r\n00\r\n\r\n",
        "A;name=value\r\n0123456789\r\n0;x\r\n\r\n",
        "5 \r\nhello\r\n0\r\nTrailer: x\r\nOther: y\r\n\r\n",
        "2\r\n\r\n\r\n0\r\n\r\nGET / HTTP/1.1\n\n",
    };
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        assert_int_equal(end_of(bodies[i]), CHUNKS_DONE);
    }
}

static void malformed_ones_are_bad(void **state)
{
    static const char *const bodies[] = {
        "5\nhello\n0\n\n",
        "5\r\nhello\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        "5;x\nhello\r\n0\r\n\r\n",
        "+5\r\nhello\r\n",
        "-5\r\nhello\r\n",
        "\r\nhello\r\n",
        " 5\r\nhello\r\n",
        "4\r\nhello\r\n",
        "6\r\nhello\r\n0\r\n\r\n",
        "zz\r\n",
        "10000000000000005\r\nhello",
        "0\r\nTrailer: x\n\r\n",
        "0\r\n\n",
        "5\rhello\r\n",
        "5,\r\nhello\r\n",
    };
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        assert_int_equal(end_of(bodies[i]), CHUNKS_BAD);
    }
}

static void incomplete_ones_go_on(void **state)
{
    assert_true(end_of("") < CHUNKS_DONE);
    assert_true(end_of("5\r\nhel") < CHUNKS_DONE);
    assert_true(end_of("5\r\nhello\r\n0\r\n") < CHUNKS_DONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(well_formed_bodies_end),
        cmocka_unit_test(malformed_ones_are_bad),
        cmocka_unit_test(incomplete_ones_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
