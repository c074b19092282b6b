/* queue: the setting and the two endpoints behind it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "proto/queue.h"

static void assert_endpoints(const char *base, const char *batches, const char *receipts)
{
    struct queue_endpoints out;
    struct error error = {""};
    if (queue_parse(base, &out, &error) != ERR_OK) {
        fail_msg("%s: %s", base, error.text);
    }
    assert_string_equal(out.batches, batches);
    assert_string_equal(out.receipts, receipts);
}

static void ipc_paths_get_endings(void **state)
{
    assert_endpoints("ipc:///run/x", "ipc:///run/x.batches", "ipc:///run/x.receipts");
    assert_endpoints("ipc://.xtrace/run/queue", "ipc://.xtrace/run/queue.batches",
                     "ipc://.xtrace/run/queue.receipts");
}

static void tcp_ports_come_in_pairs(void **state)
{
    assert_endpoints("tcp://127.0.0.1:5000", "tcp://127.0.0.1:5000", "tcp://127.0.0.1:5001");
    assert_endpoints("tcp://127.9.9.9:1", "tcp://127.9.9.9:1", "tcp://127.9.9.9:2");
    assert_endpoints("tcp://localhost:65534", "tcp://localhost:65534", "tcp://localhost:65535");
    assert_endpoints("tcp://[::1]:5000", "tcp://[::1]:5000", "tcp://[::1]:5001");
}

static void anything_else_is_refused(void **state)
{
    static const char *const bases[] = {
        "",
        "x",
        "/run/x",
        "udp://127.0.0.1:1",
        "inproc://x",
        "IPC://x",
        "ipc:/x",
        "ipc://",
        "tcp://",
        "tcp://127.0.0.1",
        "tcp://127.0.0.1:",
        "tcp://:5000",
        "tcp://127.0.0.1:0",
        "tcp://127.0.0.1:65535",
        "tcp://127.0.0.1:99999",
        "tcp://127.0.0.1:5000x",
        "tcp://127.0.0.1:-5",
        "tcp://127.0.0.1: 5",
        "tcp://127.0.0.1:123456",
    };
    struct queue_endpoints out;
    for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
        assert_int_equal(queue_parse(bases[i], &out, NULL), ERR_INVALID);
    }
}

static void tcp_beyond_loopback_is_refused(void **state)
{
    static const char *const bases[] = {
        "tcp://0.0.0.0:5000",
        "tcp://*:5000",
        "tcp://10.0.0.1:5000",
        "tcp://example.org:5000",
        "tcp://localhost.evil:5000",
        "tcp://127.0.0.1.evil:5000",
        "tcp://127:5000",
        "tcp://[::]:5000",
        "tcp://128.0.0.1:5000",
    };
    struct queue_endpoints out;
    struct error error;
    for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
        assert_int_equal(queue_parse(bases[i], &out, &error), ERR_INVALID);
        assert_non_null(strstr(error.text, "loopback"));
    }
}

static void an_ipc_path_must_fit_a_socket(void **state)
{
    enum { LONGEST = 107 - 9 /* ".receipts" */ };
    char base[256] = "ipc://";
    struct queue_endpoints out;
    memset(base + 6, 'p', LONGEST);
    assert_int_equal(queue_parse(base, &out, NULL), ERR_OK);
    assert_int_equal(strlen(out.receipts) - 6, 107);
    base[6 + LONGEST] = 'p';
    assert_int_equal(queue_parse(base, &out, NULL), ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ipc_paths_get_endings),
        cmocka_unit_test(tcp_ports_come_in_pairs),
        cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(tcp_beyond_loopback_is_refused),
        cmocka_unit_test(an_ipc_path_must_fit_a_socket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
