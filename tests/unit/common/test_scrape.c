/* The listener for /metrics alone, over real sockets. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>

#include "common/listen.h"
#include "common/scrape.h"

struct fixture {
    char address[LISTEN_ADDRESS_SIZE];
    struct scrape *scrape;
    int printed;
    char answer[10000];
};

static void print(void *context, struct buf *out)
{
    struct fixture *f = context;
    f->printed++;
    buf_append_text(out, "some_number 1\n");
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct error error;
    int fd;
    signal(SIGPIPE, SIG_IGN);
    if (listen_open("127.0.0.1:0", 1, &fd, f->address, &error) != ERR_OK) {
        return -1;
    }
    close(fd);
    *state = f;
    return scrape_open(&f->scrape, f->address, print, f, &error) == ERR_OK ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    scrape_close(f->scrape);
    free(f);
    return 0;
}

static int dial(const struct fixture *f)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                             .sin_port = htons((uint16_t)atoi(strrchr(f->address, ':') + 1))};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval patience = {.tv_sec = 5};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

static const char *exchange(struct fixture *f, const char *request)
{
    int fd = dial(f);
    assert_int_equal(send(fd, request, strlen(request), 0), strlen(request));
    size_t len = 0;
    ssize_t got;
    while ((got = recv(fd, f->answer + len, sizeof(f->answer) - 1 - len, 0)) > 0) {
        len += (size_t)got;
    }
    f->answer[len] = '\0';
    close(fd);
    return f->answer;
}

#define CLOSE " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

static bool has(const char *answer, const char *part)
{
    return strstr(answer, part) != NULL;
}

static void numbers_are_served_as_prometheus_text(void **state)
{
    struct fixture *f = *state;
    const char *answer = exchange(f, "GET /metrics?x=1" CLOSE);
    assert_true(has(answer, "HTTP/1.1 200 "));
    assert_true(has(answer, "content-type: text/plain; version=0.0.4; charset=utf-8\r\n"));
    assert_true(has(answer, "\r\n\r\nsome_number 1\n"));
    assert_int_equal(f->printed, 1);
}

static void nothing_else_is_served(void **state)
{
    struct fixture *f = *state;
    assert_true(has(exchange(f, "GET /healthz" CLOSE), "HTTP/1.1 200 "));
    assert_true(has(exchange(f, "GET /" CLOSE), "HTTP/1.1 404 "));
    assert_true(has(exchange(f, "GET /metrics/x" CLOSE), "HTTP/1.1 404 "));
    assert_true(has(exchange(f, "POST /metrics" CLOSE), "HTTP/1.1 405 "));
    assert_int_equal(f->printed, 0);
}

static void too_many_connections_are_closed(void **state)
{
    struct fixture *f = *state;
    int fds[20];
    for (int i = 0; i < 20; i++) {
        fds[i] = dial(f);
    }
    char byte;
    assert_int_equal(recv(fds[19], &byte, 1, 0), 0);
    close(fds[0]);
    for (int i = 1; i < 19; i++) {
        close(fds[i]);
    }
    close(fds[19]);
}

static void it_ends_with_connections_open(void **state)
{
    struct fixture *f = *state;
    int fd = dial(f);
    assert_int_equal(send(fd, "GET /met", 8, 0), 8);
    scrape_close(f->scrape);
    f->scrape = NULL;
    char byte;
    assert_true(recv(fd, &byte, 1, 0) <= 0);
    close(fd);
}

static void public_and_bad_addresses_are_refused(void **state)
{
    static const char *const wrong[] = {"0.0.0.0:0", ":0", "nonsense", "127.0.0.1"};
    struct scrape *scrape;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct error error;
        assert_int_equal(scrape_open(&scrape, wrong[i], print, NULL, &error), ERR_INVALID);
        assert_non_null(strstr(error.text, "XTRACE_METRICS_ADDR"));
    }
}

static void a_taken_address_is_named(void **state)
{
    struct fixture *f = *state;
    struct scrape *second;
    struct error error;
    assert_int_equal(scrape_open(&second, f->address, print, f, &error), ERR_UNAVAILABLE);
    assert_non_null(strstr(error.text, "XTRACE_METRICS_ADDR"));
}

/* h2o 2.2.5 keeps freed buffers for each thread and has no call that frees them. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:h2o_mem_alloc_recycle\n";
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(numbers_are_served_as_prometheus_text, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_else_is_served, setup, teardown),
        cmocka_unit_test_setup_teardown(too_many_connections_are_closed, setup, teardown),
        cmocka_unit_test_setup_teardown(it_ends_with_connections_open, setup, teardown),
        cmocka_unit_test(public_and_bad_addresses_are_refused),
        cmocka_unit_test_setup_teardown(a_taken_address_is_named, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
