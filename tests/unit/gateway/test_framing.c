/* Heads that leave in doubt where the body ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/framing.h"

static bool is_fine(const char *lines)
{
    char head[1000];
    snprintf(head, sizeof(head), "POST / HTTP/1.1\r\nHost: x\r\n%s\r\nContent-Length: body\r\n",
             lines);
    struct error error;
    return framing_check(slice_from(head), false, &error) == ERR_OK;
}

static void one_length_or_chunked_is_fine(void **state)
{
    assert_true(is_fine(""));
    assert_true(is_fine("content-length: 12\r\n"));
    assert_true(is_fine("Content-Length:12\r\nX: y\r\n"));
    assert_true(is_fine("Content-Length: 12 \r\n"));
    assert_true(is_fine("Transfer-Encoding: Chunked\r\n"));
    assert_true(is_fine("X-Content-Length: a\r\nContent-Length-X: b\r\nContent-Length: 1\r\n"));
}

static void two_of_them_are_not(void **state)
{
    assert_false(is_fine("Content-Length: 12\r\nContent-Length: 12\r\n"));
    assert_false(is_fine("Content-Length: 12\r\nTransfer-Encoding: chunked\r\n"));
    assert_false(is_fine("Transfer-Encoding: chunked\r\nContent-Length: 12\r\n"));
    assert_false(is_fine("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"));
    assert_false(is_fine("Content-Length: 12\nTransfer-Encoding: chunked\r\n"));
}

static void lengths_are_digits(void **state)
{
    static const char *const wrong[] = {
        "Content-Length: +1\r\n",   "Content-Length: -1\r\n",
        "Content-Length: 0x1\r\n",  "Content-Length: 1, 1\r\n",
        "Content-Length:\r\n",      "Content-Length: 1 0\r\n",
        "Content-Length: 1abc\r\n", "Content-Length: 18446744073709551616\r\n",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_false(is_fine(wrong[i]));
    }
}

static void codings_are_chunked(void **state)
{
    assert_false(is_fine("Transfer-Encoding: chunked, identity\r\n"));
    assert_false(is_fine("Transfer-Encoding: xchunked\r\n"));
    assert_false(is_fine("Transfer-Encoding: \"chunked\"\r\n"));
    assert_false(is_fine("Transfer-Encoding:\x0b"
                         "chunked\r\n"));
    assert_false(is_fine("Transfer-Encoding : chunked\r\nContent-Length: 1\r\n"));
}

static void folded_lines_are_refused(void **state)
{
    assert_false(is_fine("X: a\r\n Transfer-Encoding: chunked\r\n"));
    assert_false(is_fine("Content-Length:\r\n\t12\r\n"));
}

static void chunked_is_not_of_http_1_0(void **state)
{
    struct error error;
    struct slice head = SLICE_LITERAL("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n");
    assert_int_equal(framing_check(head, true, &error), ERR_INVALID);
    assert_int_equal(framing_check(head, false, &error), ERR_OK);
}

static void a_head_ends_at_its_blank_line(void **state)
{
    static const char text[] = "\r\nGET / HTTP/1.1\r\nA: b\r\n\r\nbody\r\n\r\n";
    size_t head_len = strlen(text) - strlen("body\r\n\r\n");
    for (size_t len = 0; len < sizeof(text); len++) {
        size_t found = framing_head_len((struct slice){text, len}, len > 0 ? len - 1 : 0);
        assert_int_equal(found, len == head_len ? head_len : len > head_len ? found : 0);
    }
    assert_int_equal(framing_head_len(slice_from(text), 0), head_len);
    assert_int_equal(framing_head_len(slice_from("GET / HTTP/1.1\nA: b\n\nx"), 0), 21);
    assert_false(framing_is_coded(slice_from(text)));
    assert_true(framing_is_coded(slice_from("POST / HTTP/1.1\r\ntransfer-Encoding:x\r\n\r\n")));
    assert_false(framing_is_coded(slice_from("POST / HTTP/1.1\r\n\r\nTransfer-Encoding:x\r\n")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_length_or_chunked_is_fine),
        cmocka_unit_test(two_of_them_are_not),
        cmocka_unit_test(lengths_are_digits),
        cmocka_unit_test(codings_are_chunked),
        cmocka_unit_test(folded_lines_are_refused),
        cmocka_unit_test(chunked_is_not_of_http_1_0),
        cmocka_unit_test(a_head_ends_at_its_blank_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
