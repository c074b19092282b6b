/* Heads of requests that h2o would refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/buf.h"
#include "gateway/head.h"

static bool is_fine(const char *text)
{
    struct error error;
    return head_check(slice_from(text), 0, &error) == ERR_OK;
}

static void requests_and_beginnings_of_requests_are_fine(void **state)
{
    assert_true(is_fine("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_true(is_fine("GET / HTTP/1.1\nHost: x\n\n"));
    assert_true(is_fine("G"));
    assert_true(is_fine("POST /a HTTP/1.1\r\nContent-Le"));
    assert_true(is_fine("\r\nGET / HTTP/1.0\r\n\r\n"));
    assert_true(is_fine("POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\nabcde"));
}

static void what_is_no_request_is_not(void **state)
{
    struct error error;
    assert_false(is_fine("GET\r\n\r\n"));
    assert_false(is_fine("GET /\r\n\r\n"));
    assert_false(is_fine("GET / HTTP/2.0\r\n\r\n"));
    assert_false(is_fine("GET / HTTP/1.1\r\nno colon\r\n\r\n"));
    assert_false(is_fine("GET / HTTP/1.1\r\nna me: x\r\n\r\n"));
    assert_false(is_fine("GET / HTTP/1.1\r\nname: \x01\r\n\r\n"));
    assert_false(is_fine("\x16\x03\x01\x02\x01\x01\xfc"));
    assert_int_equal(head_check(SLICE_LITERAL("\0\0\0\0\0"), 0, &error), ERR_INVALID);
    assert_non_null(strstr(error.text, "malformed request"));
}

static void a_few_ends_of_lines_are_left_to_h2o(void **state)
{
    assert_true(is_fine("\r\n\r\n"));
    assert_true(is_fine("\n\n"));
}

static struct buf many_headers(int count, size_t len)
{
    struct buf text = BUF_EMPTY;
    buf_append_text(&text, "GET / HTTP/1.1\r\n");
    for (int i = 0; i < count; i++) {
        buf_printf(&text, "h%d: ", i);
        memset(buf_reserve(&text, len), 'x', len);
        text.len += len;
        buf_append_text(&text, "\r\n");
    }
    return text;
}

static void the_number_of_headers_is_bounded(void **state)
{
    struct error error;
    struct buf text = many_headers(100, 1);
    buf_append_text(&text, "\r\n");
    assert_int_equal(head_check(buf_slice(&text), 0, &error), ERR_OK);
    buf_finish(&text);
    text = many_headers(101, 1);
    buf_append_text(&text, "\r\n");
    assert_int_equal(head_check(buf_slice(&text), 0, &error), ERR_INVALID);
    buf_finish(&text);
}

static void the_size_of_a_head_is_bounded(void **state)
{
    struct error error;
    struct buf text = many_headers(2, 300000);
    assert_int_equal(head_check((struct slice){text.data, 400000}, 0, &error), ERR_OK);
    assert_int_equal(head_check(buf_slice(&text), 400000, &error), ERR_INVALID);
    assert_non_null(strstr(error.text, "larger than 417792 bytes"));
    buf_finish(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_and_beginnings_of_requests_are_fine),
        cmocka_unit_test(what_is_no_request_is_not),
        cmocka_unit_test(a_few_ends_of_lines_are_left_to_h2o),
        cmocka_unit_test(the_number_of_headers_is_bounded),
        cmocka_unit_test(the_size_of_a_head_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
