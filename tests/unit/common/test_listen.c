/* Addresses and the listeners they make. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/listen.h"

static void expect_parts(const char *address, const char *host, const char *port)
{
    char host_found[LISTEN_ADDRESS_SIZE];
    char port_found[LISTEN_ADDRESS_SIZE];
    struct error error;
    assert_int_equal(listen_parse(address, host_found, port_found, &error), ERR_OK);
    assert_string_equal(host_found, host);
    assert_string_equal(port_found, port);
}

static void addresses_have_host_and_port(void **state)
{
    expect_parts("127.0.0.1:8080", "127.0.0.1", "8080");
    expect_parts("[::1]:80", "::1", "80");
    expect_parts(":8080", "", "8080");
    expect_parts("localhost:0", "localhost", "0");
}

static void other_texts_are_refused(void **state)
{
    static const char *const wrong[] = {"",     "8080",       "host:",   "host:x",  "::1:80",
                                        "[::1", "host:65536", "host:-1", "host: 80"};
    char host[LISTEN_ADDRESS_SIZE];
    char port[LISTEN_ADDRESS_SIZE];
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct error error;
        assert_int_equal(listen_parse(wrong[i], host, port, &error), ERR_INVALID);
    }
}

static void listeners_share_a_port_that_nobody_else_may_take(void **state)
{
    int fds[3];
    int more[1];
    char actual[LISTEN_ADDRESS_SIZE];
    char again[LISTEN_ADDRESS_SIZE];
    struct error error;
    assert_int_equal(listen_open("127.0.0.1:0", 3, fds, actual, &error), ERR_OK);
    assert_null(strstr(actual, ":0"));
    assert_int_equal(listen_open(actual, 1, more, again, &error), ERR_UNAVAILABLE);
    assert_non_null(strstr(error.text, actual));
    for (int i = 0; i < 3; i++) {
        close(fds[i]);
    }
    assert_int_equal(listen_open(actual, 1, more, again, &error), ERR_OK);
    assert_string_equal(again, actual);
    close(more[0]);
}

static void foreign_addresses_are_refused(void **state)
{
    int fds[1];
    char actual[LISTEN_ADDRESS_SIZE];
    struct error error;
    assert_int_equal(listen_open("192.0.2.1:0", 1, fds, actual, &error), ERR_UNAVAILABLE);
}

static bool opens_private(const char *address)
{
    int fd;
    char actual[LISTEN_ADDRESS_SIZE];
    struct error error;
    assert_int_equal(listen_open(address, 1, &fd, actual, &error), ERR_OK);
    bool is_private = listen_is_private(fd);
    close(fd);
    return is_private;
}

static void every_address_is_not_a_private_one(void **state)
{
    assert_true(opens_private("127.0.0.1:0"));
    assert_true(opens_private("127.1.2.3:0"));
    assert_false(opens_private("0.0.0.0:0"));
    assert_false(opens_private(":0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_have_host_and_port),
        cmocka_unit_test(other_texts_are_refused),
        cmocka_unit_test(listeners_share_a_port_that_nobody_else_may_take),
        cmocka_unit_test(foreign_addresses_are_refused),
        cmocka_unit_test(every_address_is_not_a_private_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
