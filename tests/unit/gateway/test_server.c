/* The server from outside, over real sockets, with a table of its own routes: answers, limits,
 * framing, drain. No writer and no database. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/arena.h"
#include "common/clock.h"
#include "common/listen.h"
#include "gateway/access.h"
#include "gateway/books.h"
#include "gateway/deliver.h"
#include "gateway/limit.h"
#include "gateway/reply.h"
#include "gateway/routes.h"
#include "gateway/server.h"

enum { BODY_MAX = 100000, WAIT_MS = 5000 };

/* ---- handlers ---- */

static void answer_echo(struct request *request)
{
    struct buf body = BUF_EMPTY;
    buf_printf(&body, "{\"got\":%zu}", request->h2o->entity.len);
    reply_json(request, 200, buf_slice(&body));
    buf_finish(&body);
}

static void answer_param(struct request *request)
{
    struct buf body = BUF_EMPTY;
    buf_printf(&body, "[\"%.*s\",\"%s\"]", (int)request->params[0].len, request->params[0].data,
               request->identity.project);
    reply_json(request, 200, buf_slice(&body));
    buf_finish(&body);
}

static void answer_failure(struct request *request)
{
    struct error error;
    error_set(&error, ERR_INTERNAL, "secret reason");
    reply_error(request, ERR_INTERNAL, &error);
}

/* Answers when the batch's deadline passes. */
static void on_delivered(void *waiter, enum err err, const struct receipt *receipt)
{
    struct request *request = waiter;
    reply_error(request, err, NULL);
    request_release(request);
}

static void answer_later(struct request *request)
{
    struct delivery delivery = {
        .header = malloc(1), .header_len = 1, .body = calloc(1, 10), .body_len = 10};
    id_random(delivery.id);
    delivery.header[0] = 'h';
    request_hold(request);
    if (deliver_send(request->worker->port, &delivery, on_delivered, request) != ERR_OK) {
        abort();
    }
}

static const struct route table[] = {
    {"GET", "/open", answer_echo, ACCESS_OPEN, false, false},
    {"POST", "/open", answer_echo, ACCESS_OPEN, false, true},
    {"POST", "/closed", answer_echo, ACCESS_INGEST, false, true},
    {"GET", "/compat", answer_param, ACCESS_CHECK | ACCESS_COMPAT, false, false},
    {"GET", "/limited/{id}", answer_param, ACCESS_READ, true, false},
    {"GET", "/fails", answer_failure, ACCESS_OPEN, false, false},
    {"GET", "/later", answer_later, ACCESS_OPEN, false, false},
    {.method = NULL},
};

/* ---- set up ---- */

struct fixture {
    char folder[64];
    char queue[128];
    char address[32];
    uint16_t port;
    struct config config;
    struct gateway gateway;
    struct server *server;
    char answer[200000]; /* of the last exchange */
};

static uint16_t free_port(void)
{
    int fd;
    char actual[LISTEN_ADDRESS_SIZE];
    struct error error;
    assert_int_equal(listen_open("127.0.0.1:0", 1, &fd, actual, &error), ERR_OK);
    close(fd);
    return (uint16_t)atoi(strrchr(actual, ':') + 1);
}

static int setup(void **state)
{
    signal(SIGPIPE, SIG_IGN);
    struct fixture *f = memory_zalloc(sizeof(*f));
    strcpy(f->folder, "/tmp/xtrace-test-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->queue, sizeof(f->queue), "ipc://%s/queue", f->folder);
    f->port = free_port();
    snprintf(f->address, sizeof(f->address), "127.0.0.1:%u", f->port);
    f->config = (struct config){.database_url = "host=/nonexistent",
                                .bearer_token = "token",
                                .bind_addr = f->address,
                                .project_id = "default",
                                .max_request_body_bytes = BODY_MAX,
                                .threads = 2,
                                .db_connections = 1,
                                .query_timeout_ms = 1000};
    f->gateway.books = books_create(table, "default");
    struct deliver_options options = {f->queue, 100, 600, 1 << 20, f->gateway.books};
    struct error error = {""};
    f->gateway.config = &f->config;
    f->gateway.routes = table;
    assert_int_equal(access_create(&f->gateway.access, &f->config, &error), ERR_OK);
    assert_int_equal(access_publish(f->gateway.access, NULL, 0, NULL, 0, &error), ERR_OK);
    f->gateway.limit = limit_create(1, 2);
    assert_int_equal(deliver_open(&f->gateway.deliver, &options, &error), ERR_OK);
    if (server_open(&f->server, &f->gateway, &error) != ERR_OK) {
        fail_msg("%s", error.text);
    }
    *state = f;
    return 0;
}

static void stop(struct fixture *f, uint32_t drain_ms)
{
    server_close(f->server, drain_ms);
    f->server = NULL;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    stop(f, WAIT_MS);
    deliver_close(f->gateway.deliver);
    books_destroy(f->gateway.books);
    limit_destroy(f->gateway.limit);
    access_destroy(f->gateway.access);
    char command[128];
    snprintf(command, sizeof(command), "rm -rf %s", f->folder);
    assert_int_equal(system(command), 0);
    free(f);
    return 0;
}

/* ---- a client ---- */

static int dial(struct fixture *f)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(f->port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), 0), (ssize_t)strlen(text));
}

/* Reads until the server closes; false when it was reset. */
static bool hear_all(struct fixture *f, int fd)
{
    size_t len = 0;
    for (;;) {
        struct pollfd item = {.fd = fd, .events = POLLIN};
        assert_true(poll(&item, 1, WAIT_MS) == 1);
        ssize_t got = recv(fd, f->answer + len, sizeof(f->answer) - 1 - len, 0);
        if (got > 0) {
            len += (size_t)got;
            continue;
        }
        f->answer[len] = '\0';
        close(fd);
        return got == 0;
    }
}

/* One request whose connection is closed by the server, or by its Connection header. */
static const char *exchange(struct fixture *f, const char *text)
{
    int fd = dial(f);
    assert_true(fd >= 0);
    say(fd, text);
    assert_true(hear_all(f, fd));
    return f->answer;
}

static void assert_has(const char *answer, const char *part)
{
    if (strstr(answer, part) == NULL) {
        /* UBSan's check of strstr's arguments makes gcc think of NULL. */
        fail_msg("no %s in:\n%s", part, answer != NULL ? answer : "");
    }
}

static void assert_status(const char *answer, const char *status)
{
    if (strncmp(answer, "HTTP/1.1 ", 9) != 0 || strncmp(answer + 9, status, 3) != 0) {
        fail_msg("not %s:\n%s", status, answer);
    }
}

#define CLOSE "Host: x\r\nConnection: close\r\n"

/* ---- tests ---- */

static void answers_are_json_with_a_length_and_an_id(void **state)
{
    struct fixture *f = *state;
    const char *answer =
        exchange(f, "GET /open HTTP/1.1\r\n" CLOSE "X-Request-Id: my-id.1\r\n\r\n");
    assert_status(answer, "200");
    assert_has(answer, "Content-Length: 9\r\n");
    assert_has(answer, "content-type: application/json\r\n");
    assert_has(answer, "x-request-id: my-id.1\r\n");
    assert_has(answer, "\r\n\r\n{\"got\":0}");
    answer = exchange(f, "GET /open HTTP/1.1\r\n" CLOSE "X-Request-Id: a b\r\n\r\n");
    assert_null(strstr(answer, "a b"));
    const char *id = strstr(answer, "x-request-id: ") + strlen("x-request-id: ");
    assert_int_equal(strspn(id, "0123456789abcdef"), 32);
}

static void errors_are_json(void **state)
{
    struct fixture *f = *state;
    const char *answer = exchange(f, "GET /nothing HTTP/1.1\r\n" CLOSE "\r\n");
    assert_status(answer, "404");
    assert_has(answer, "{\"message\":\"Not Found\",\"code\":\"NOT_FOUND\","
                       "\"error\":\"LangfuseNotFoundError\"}");
    answer = exchange(f, "PUT /open HTTP/1.1\r\n" CLOSE "\r\n");
    assert_status(answer, "405");
    assert_has(answer, "allow: GET, HEAD, POST, OPTIONS\r\n");
    assert_has(answer, "\"code\":\"METHOD_NOT_ALLOWED\"");
    answer = exchange(f, "GET /fails HTTP/1.1\r\n" CLOSE "\r\n");
    assert_status(answer, "500");
    assert_has(answer, "\"message\":\"Internal Error\"");
    assert_null(strstr(answer, "secret"));
}

static void head_is_get_without_a_body(void **state)
{
    struct fixture *f = *state;
    const char *answer = exchange(f, "HEAD /open HTTP/1.1\r\n" CLOSE "\r\n");
    assert_status(answer, "200");
    assert_has(answer, "Content-Length: 9\r\n");
    assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
    answer = exchange(f, "HEAD /nothing HTTP/1.1\r\n" CLOSE "\r\n");
    assert_status(answer, "404");
    assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
}

static void protected_routes_want_credentials_before_all_else(void **state)
{
    struct fixture *f = *state;
    const char *answer =
        exchange(f, "POST /closed HTTP/1.1\r\n" CLOSE "Content-Length: 4\r\n\r\nbody");
    assert_status(answer, "401");
    assert_has(answer, "{\"message\":\"Unauthorized\",\"code\":\"UNAUTHORIZED\"");
    answer = exchange(f, "POST /closed HTTP/1.1\r\n" CLOSE "Authorization: bearer  token \r\n"
                         "Content-Length: 4\r\n\r\nbody");
    assert_status(answer, "200");
    assert_has(answer, "{\"got\":4}");
    assert_status(exchange(f, "GET /compat HTTP/1.1\r\n" CLOSE "\r\n"), "401");
}

static void the_limit_answers_429_with_the_time_to_wait(void **state)
{
    struct fixture *f = *state;
    const char *request = "GET /limited/a%2Fb HTTP/1.1\r\n" CLOSE "Authorization: Bearer token\r\n"
                          "\r\n";
    const char *answer = exchange(f, request);
    assert_status(answer, "200");
    assert_has(answer, "[\"a/b\",\"default\"]");
    exchange(f, request);
    answer = exchange(f, request);
    assert_status(answer, "429");
    assert_has(answer, "retry-after: 1\r\n");
    assert_has(answer, "\"data\":null,\"meta\":{\"rate_limit\":{\"remaining\":0,\"reset_at\":\"");
    assert_status(exchange(f, "GET /limited/x HTTP/1.1\r\n" CLOSE "\r\n"), "401");
}

static void chunked_bodies_work(void **state)
{
    struct fixture *f = *state;
    const char *answer =
        exchange(f, "POST /open HTTP/1.1\r\n" CLOSE "Transfer-Encoding: chunked\r\n\r\n"
                    "3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\n\r\n");
    assert_status(answer, "200");
    assert_has(answer, "{\"got\":7}");
    answer = exchange(f, "POST /open HTTP/1.1\r\n" CLOSE "Transfer-Encoding: chunked\r\n\r\n"
                         "zz\r\nabc\r\n");
    assert_status(answer, "400");
    assert_has(answer, "\"code\":\"BAD_REQUEST\"");
    assert_has(answer, "x-request-id: ");
}

/* Sends more than the server takes, all of it before listening, as many clients do. */
static const char *post_too_much(struct fixture *f, size_t announced, bool chunked)
{
    int fd = dial(f);
    char head[200];
    snprintf(head, sizeof(head), "POST /open HTTP/1.1\r\nHost: x\r\n%s: ",
             chunked ? "Transfer-Encoding" : "Content-Length");
    size_t used = strlen(head);
    if (chunked) {
        snprintf(head + used, sizeof(head) - used, "chunked\r\n\r\n%zx\r\n", announced);
    } else {
        snprintf(head + used, sizeof(head) - used, "%zu\r\n\r\n", announced);
    }
    say(fd, head);
    char *body = memory_zalloc(announced);
    size_t sent = 0;
    while (sent < announced) {
        ssize_t more = send(fd, body + sent, announced - sent, 0);
        if (more < 0) {
            fail_msg("sending failed after %zu bytes: %s", sent, strerror(errno));
        }
        sent += (size_t)more;
    }
    free(body);
    if (chunked) {
        say(fd, "\r\n0\r\n\r\n");
    }
    shutdown(fd, SHUT_WR);
    assert_true(hear_all(f, fd));
    return f->answer;
}

static void bodies_over_the_limit_are_answered_413_as_json(void **state)
{
    struct fixture *f = *state;
    const size_t sizes[] = {BODY_MAX + 1, BODY_MAX + 10000, 500000, 20000000};
    for (size_t i = 0; i < 4; i++) {
        for (int chunked = 0; chunked < 2; chunked++) {
            const char *answer = post_too_much(f, sizes[i], chunked);
            assert_status(answer, "413");
            assert_has(answer, "\"code\":\"PAYLOAD_TOO_LARGE\"");
            assert_has(answer, "request body is larger than 100000 bytes");
            assert_has(answer, "x-request-id: ");
        }
    }
}

static void ambiguous_requests_end_their_connection(void **state)
{
    struct fixture *f = *state;
    static const char *const lines[] = {
        "Content-Length: 4\r\nContent-Length: 8\r\n",
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        "X: a\r\n folded\r\nContent-Length: 4\r\n",
        "Content-Length: +4\r\n",
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        char request[500];
        snprintf(request, sizeof(request),
                 "POST /open HTTP/1.1\r\nHost: x\r\n%s\r\n0\r\n\r\n"
                 "GET /open HTTP/1.1\r\nHost: x\r\n\r\n",
                 lines[i]);
        const char *answer = exchange(f, request);
        assert_status(answer, "400");
        assert_has(answer, "\"code\":\"BAD_REQUEST\"");
        assert_null(strstr(answer, "HTTP/1.1 200"));
    }
}

static void http_2_is_not_spoken(void **state)
{
    struct fixture *f = *state;
    const char *answer = exchange(f, "GET /open HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, "
                                     "close, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                                     "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n");
    assert_null(strstr(answer, " 101 "));
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    struct fixture *f = *state;
    const char *answer = exchange(f, "POST /open HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab"
                                     "GET /open HTTP/1.1\r\n" CLOSE "\r\n");
    const char *first = strstr(answer, "{\"got\":2}");
    assert_non_null(first);
    assert_has(first, "{\"got\":0}");
}

struct closer {
    struct fixture *fixture;
    uint32_t drain_ms;
    int64_t took_ms;
};

static void *close_server(void *argument)
{
    struct closer *closer = argument;
    int64_t started_ms = clock_monotonic_ms();
    stop(closer->fixture, closer->drain_ms);
    closer->took_ms = clock_monotonic_ms() - started_ms;
    return NULL;
}

static void a_drain_answers_what_runs_and_does_not_wait_for_idle_ones(void **state)
{
    struct fixture *f = *state;
    int idle = dial(f);
    int used = dial(f);
    say(used, "GET /open HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_true(recv(used, f->answer, 20, MSG_WAITALL) == 20);
    int running = dial(f);
    say(running, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
    while (deliver_in_flight_count(f->gateway.deliver) == 0) {
        poll(NULL, 0, 5);
    }
    struct closer closer = {f, WAIT_MS, 0};
    pthread_t thread;
    pthread_create(&thread, NULL, close_server, &closer);
    assert_true(hear_all(f, running));
    assert_status(f->answer, "503"); /* there is no writer */
    assert_has(f->answer, "Connection: close\r\n");
    assert_has(f->answer, "retry-after: 1\r\n");
    pthread_join(thread, NULL);
    assert_in_range(closer.took_ms, 0, 2000);
    assert_true(hear_all(f, idle));
    assert_true(hear_all(f, used));
    assert_int_equal(dial(f), -1);
}

static void at_the_drain_deadline_waiting_requests_hear_503(void **state)
{
    struct fixture *f = *state;
    int running = dial(f);
    say(running, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
    int stalled = dial(f);
    say(stalled, "POST /open HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
    while (deliver_in_flight_count(f->gateway.deliver) == 0) {
        poll(NULL, 0, 5);
    }
    struct closer closer = {f, 50, 0};
    close_server(&closer);
    assert_in_range(closer.took_ms, 40, 1500);
    assert_true(hear_all(f, running));
    assert_status(f->answer, "503");
    hear_all(f, stalled);
    assert_string_equal(f->answer, "");
}

static void a_client_that_leaves_early_harms_nobody(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 20; i++) {
        int fd = dial(f);
        say(fd, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
        if (i % 2 == 0) {
            struct linger reset = {.l_onoff = 1};
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        }
        close(fd);
    }
    assert_status(exchange(f, "GET /open HTTP/1.1\r\n" CLOSE "\r\n"), "200");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(answers_are_json_with_a_length_and_an_id),
        TEST(errors_are_json),
        TEST(head_is_get_without_a_body),
        TEST(protected_routes_want_credentials_before_all_else),
        TEST(the_limit_answers_429_with_the_time_to_wait),
        TEST(chunked_bodies_work),
        TEST(bodies_over_the_limit_are_answered_413_as_json),
        TEST(ambiguous_requests_end_their_connection),
        TEST(http_2_is_not_spoken),
        TEST(pipelined_requests_are_answered_in_order),
        TEST(a_drain_answers_what_runs_and_does_not_wait_for_idle_ones),
        TEST(at_the_drain_deadline_waiting_requests_hear_503),
        TEST(a_client_that_leaves_early_harms_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
