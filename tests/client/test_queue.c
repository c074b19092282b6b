/* The background queue: batches, bounds, retries, flush, shutdown; the books balance throughout. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/client/support.h"

enum { HOUR_MS = 3600000, LONG_MS = 20000 };

static const struct fake_reply ack[] = {{200, NULL, ACK, 0}};
static const struct fake_reply held[] = {{200, NULL, ACK, FAKE_HOLD}};

/* Batches by max_records only, unless a test says otherwise. */
static struct xtrace_options *options_of(struct fake_server *server, uint32_t max_records)
{
    struct xtrace_options *options = support_options(fake_server_url(server));
    assert_int_equal(xtrace_options_set_batch(options, max_records, 1 << 20, HOUR_MS), XTRACE_OK);
    return options;
}

static void enqueue_observations(struct xtrace_client *client, int count)
{
    struct xtrace_observation observation = support_observation();
    for (int i = 0; i < count; i++) {
        assert_int_equal(xtrace_enqueue_observation(client, &observation, NULL), XTRACE_OK);
    }
}

static size_t count_of(const char *text, const char *word)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, word)) != NULL; at += strlen(word)) {
        count++;
    }
    return count;
}

static void a_batch_leaves_when_it_is_full(void **state)
{
    struct fake_server *server = fake_server_start(ack, 1, false);
    struct xtrace_client *client = support_client(options_of(server, 3));
    enqueue_observations(client, 7);
    fake_server_wait(server, 2);
    assert_int_equal(count_of(fake_server_request(server, 0).body, "\"id\""), 3);
    assert_int_equal(xtrace_client_flush(client, LONG_MS), XTRACE_OK);
    assert_int_equal(fake_server_count(server), 3);
    assert_int_equal(count_of(fake_server_request(server, 2).body, "\"id\""), 1);
    assert_int_equal(support_stats(client).sent, 7);
    assert_int_equal(support_stats(client).queued_bytes, 0);
    support_check_books(client);
    xtrace_client_destroy(client);
    fake_server_stop(server);
}

static void a_batch_leaves_by_bytes_and_by_age(void **state)
{
    struct fake_server *server = fake_server_start(ack, 1, false);
    struct xtrace_options *options = support_options(fake_server_url(server));
    assert_int_equal(xtrace_options_set_batch(options, 1000, 250, HOUR_MS), XTRACE_OK);
    struct xtrace_client *client = support_client(options);
    enqueue_observations(client, 3); /* about 100 bytes each */
    fake_server_wait(server, 1);
    assert_int_equal(count_of(fake_server_request(server, 0).body, "\"id\""), 2);
    xtrace_client_destroy(client);

    options = support_options(fake_server_url(server));
    assert_int_equal(xtrace_options_set_batch(options, 1000, 1 << 20, 20), XTRACE_OK);
    client = support_client(options);
    enqueue_observations(client, 1);
    fake_server_wait(server, 2);
    xtrace_client_destroy(client);
    fake_server_stop(server);
}

static void a_request_carries_one_trace(void **state)
{
    struct fake_server *server = fake_server_start(ack, 1, false);
    struct xtrace_client *client = support_client(options_of(server, 100));
    struct xtrace_trace trace = support_trace();
    enqueue_observations(client, 1);
    assert_int_equal(xtrace_enqueue_trace(client, &trace, NULL), XTRACE_OK);
    enqueue_observations(client, 2);
    assert_int_equal(xtrace_enqueue_trace(client, &trace, NULL), XTRACE_OK);
    fake_server_wait(server, 1);
    assert_int_equal(xtrace_client_flush(client, LONG_MS), XTRACE_OK);
    struct fake_request first = fake_server_request(server, 0);
    assert_int_equal(count_of(first.body, "\"trace\":"), 1);
    assert_int_equal(count_of(first.body, "\"traceId\":"), 3);
    assert_string_equal(fake_server_request(server, 1).body,
                        "{\"trace\":{\"id\":\"" TRACE_ID "\"},\"observations\":[]}");
    xtrace_client_destroy(client);
    fake_server_stop(server);
}

static void metrics_have_a_lane_and_a_key_of_their_own(void **state)
{
    static const struct fake_reply replies[] = {{503, NULL, "", 0}, {200, NULL, ACK, 0}};
    struct fake_server *server = fake_server_start(replies, 2, false);
    struct xtrace_client *client = support_client(options_of(server, 2));
    struct xtrace_metric metric = support_metric();
    assert_int_equal(xtrace_enqueue_metric(client, &metric, NULL), XTRACE_OK);
    assert_int_equal(xtrace_enqueue_metric(client, &metric, NULL), XTRACE_OK);
    fake_server_wait(server, 2);
    struct fake_request first = fake_server_request(server, 0);
    struct fake_request again = fake_server_request(server, 1);
    char key[64] = "";
    strncpy(key, fake_header(&first, "Idempotency-Key"), sizeof(key) - 1);
    assert_memory_equal(first.head, "POST /v1/metrics/batch ", 23);
    assert_int_equal(strlen(key), 36);
    assert_string_equal(fake_header(&again, "Idempotency-Key"), key);
    assert_string_equal(first.body, again.body);
    xtrace_client_destroy(client);
    fake_server_stop(server);
}

static void memory_is_bounded_and_drops_are_counted(void **state)
{
    struct fake_server *server = fake_server_start(held, 1, false);
    struct xtrace_options *options = options_of(server, 1);
    assert_int_equal(xtrace_options_set_queue_bytes(options, 4096), XTRACE_OK);
    struct xtrace_client *client = support_client(options);
    struct xtrace_observation observation = support_observation();
    uint64_t taken = 0;
    uint64_t full = 0;
    for (int i = 0; i < 200; i++) {
        struct xtrace_error error;
        enum xtrace_status status = xtrace_enqueue_observation(client, &observation, &error);
        assert_true(status == XTRACE_OK || status == XTRACE_QUEUE_FULL);
        assert_string_equal(error.text, status == XTRACE_OK ? "" : "queue full");
        taken += status == XTRACE_OK;
        full += status == XTRACE_QUEUE_FULL;
    }
    struct xtrace_stats stats = support_stats(client);
    assert_true(taken > 10 && taken < 40 && full > 100);
    assert_int_equal(stats.accepted, taken);
    assert_int_equal(stats.overflowed, full);
    assert_true(stats.queued_bytes <= 4096);
    support_check_books(client);
    fake_server_release(server);
    assert_int_equal(xtrace_client_flush(client, LONG_MS), XTRACE_OK);
    assert_int_equal(support_stats(client).sent, taken);
    enqueue_observations(client, 1); /* there is room again */
    xtrace_client_destroy(client);
    fake_server_stop(server);
}

struct losses {
    enum xtrace_status reason;
    uint64_t records;
    char message[256];
};

static void on_lost(void *closure, enum xtrace_status reason, uint64_t records, const char *message)
{
    struct losses *losses = closure;
    losses->reason = reason;
    losses->records += records;
    strncpy(losses->message, message, sizeof(losses->message) - 1);
}

static void failures_that_pass_lose_nothing(void **state)
{
    static const struct fake_reply replies[] = {{200, NULL, NULL, FAKE_CLOSE},
                                                {503, NULL, "", 0},
                                                {200, NULL, ACK, FAKE_CUT},
                                                {429, NULL, "", 0},
                                                {500, NULL, "", 0},
                                                {200, NULL, ACK, 0}};
    struct losses losses = {0};
    struct fake_server *server = fake_server_start(replies, 6, false);
    struct xtrace_options *options = options_of(server, 2);
    assert_int_equal(xtrace_options_set_on_lost(options, on_lost, &losses), XTRACE_OK);
    struct xtrace_client *client = support_client(options);
    enqueue_observations(client, 2);
    fake_server_wait(server, 6);
    assert_int_equal(xtrace_client_flush(client, LONG_MS), XTRACE_OK);
    struct xtrace_stats stats = support_stats(client);
    assert_int_equal(stats.sent, 2);
    assert_int_equal(stats.retries, 5);
    assert_int_equal(stats.batches, 1);
    xtrace_client_destroy(client);
    assert_int_equal(losses.records, 0);
    fake_server_stop(server);
}

static void a_server_that_comes_back_gets_everything(void **state)
{
    struct fake_server *server = fake_server_start(ack, 1, true);
    struct xtrace_client *client = support_client(options_of(server, 10));
    enqueue_observations(client, 25);
    assert_int_equal(xtrace_client_flush(client, 50), XTRACE_TIMEOUT);
    assert_int_equal(support_stats(client).queued, 25);
    fake_server_listen(server);
    assert_int_equal(xtrace_client_flush(client, LONG_MS), XTRACE_OK);
    assert_int_equal(support_stats(client).sent, 25);
    xtrace_client_destroy(client);
    fake_server_stop(server);
}

static void retry_after_holds_the_queue_too(void **state)
{
    static const struct fake_reply replies[] = {{429, "Retry-After: 1\r\n", "", 0},
                                                {200, NULL, ACK, 0}};
    struct fake_server *server = fake_server_start(replies, 2, false);
    struct xtrace_client *client = support_client(options_of(server, 1));
    enqueue_observations(client, 1);
    fake_server_wait(server, 2);
    int64_t waited_ms = fake_server_request(server, 1).at_ms - fake_server_request(server, 0).at_ms;
    assert_in_range(waited_ms, 999, 5000);
    xtrace_client_destroy(client);
    fake_server_stop(server);
}

static void refused_records_are_counted_and_told(void **state)
{
    static const struct fake_reply replies[] = {
        {400, NULL,
         "{\"message\":\"1 of 3 records were "
         "refused\",\"stored\":{\"traces\":0,\"observations\":2}}",
         0},
        {413, NULL, "{\"message\":\"too large\"}", 0},
        {200, NULL, ACK, 0}};
    struct losses losses = {0};
    struct fake_server *server = fake_server_start(replies, 3, false);
    struct xtrace_options *options = options_of(server, 3);
    assert_int_equal(xtrace_options_set_on_lost(options, on_lost, &losses), XTRACE_OK);
    struct xtrace_client *client = support_client(options);
    enqueue_observations(client, 3);
    assert_int_equal(xtrace_client_flush(client, LONG_MS), XTRACE_DROPPED);
    enqueue_observations(client, 3);
    assert_int_equal(xtrace_client_flush(client, LONG_MS), XTRACE_DROPPED);
    enqueue_observations(client, 3);
    assert_int_equal(xtrace_client_flush(client, LONG_MS), XTRACE_OK);
    struct xtrace_stats stats = support_stats(client);
    assert_int_equal(stats.sent, 2 + 3);
    assert_int_equal(stats.refused, 1 + 3);
    support_check_books(client);
    xtrace_client_destroy(client); /* its thread has ended: losses is ours */
    assert_int_equal(losses.records, 4);
    assert_int_equal(losses.reason, XTRACE_REFUSED);
    assert_string_equal(losses.message, "too large");
    fake_server_stop(server);
}

static void what_fails_for_too_long_is_given_up(void **state)
{
    static const struct fake_reply replies[] = {{500, NULL, "{\"message\":\"always\"}", 0}};
    struct losses losses = {0};
    struct fake_server *server = fake_server_start(replies, 1, false);
    struct xtrace_options *options = options_of(server, 1);
    assert_int_equal(xtrace_options_set_retry(options, 4, 1, 2, 100), XTRACE_OK);
    assert_int_equal(xtrace_options_set_on_lost(options, on_lost, &losses), XTRACE_OK);
    struct xtrace_client *client = support_client(options);
    enqueue_observations(client, 1);
    assert_int_equal(xtrace_client_flush(client, LONG_MS), XTRACE_DROPPED);
    assert_int_equal(support_stats(client).given_up, 1);
    assert_int_equal(fake_server_count(server), support_stats(client).retries + 1);
    support_check_books(client);
    xtrace_client_destroy(client);
    assert_int_equal(losses.reason, XTRACE_SERVER_ERROR);
    assert_string_equal(losses.message, "always");
    fake_server_stop(server);
}

static void shutdown_sends_what_is_left(void **state)
{
    struct fake_server *server = fake_server_start(ack, 1, false);
    struct xtrace_client *client = support_client(options_of(server, 100));
    enqueue_observations(client, 5);
    assert_int_equal(xtrace_client_shutdown(client, LONG_MS), XTRACE_OK);
    assert_int_equal(support_stats(client).sent, 5);
    assert_int_equal(fake_server_count(server), 1);
    xtrace_client_destroy(client);
    fake_server_stop(server);
}

static void shutdown_does_not_outlast_its_time(void **state)
{
    struct losses losses = {0};
    struct fake_server *server = fake_server_start(held, 1, false);
    struct xtrace_options *options = options_of(server, 2);
    assert_int_equal(xtrace_options_set_on_lost(options, on_lost, &losses), XTRACE_OK);
    struct xtrace_client *client = support_client(options);
    enqueue_observations(client, 5);
    fake_server_wait(server, 1);
    int64_t begin_us = xtrace_now_us();
    assert_int_equal(xtrace_client_shutdown(client, 100), XTRACE_DROPPED);
    assert_in_range(xtrace_now_us() - begin_us, 90000, 2000000);
    struct xtrace_stats stats = support_stats(client);
    assert_int_equal(stats.left_over, 5);
    assert_int_equal(stats.queued, 0);
    support_check_books(client);
    assert_int_equal(losses.records, 5);
    assert_int_equal(losses.reason, XTRACE_CLOSED);
    xtrace_client_destroy(client);
    fake_server_stop(server);
}

static void destroy_alone_ends_everything_at_once(void **state)
{
    struct fake_server *server = fake_server_start(held, 1, false);
    struct xtrace_client *client = support_client(options_of(server, 1));
    enqueue_observations(client, 3);
    fake_server_wait(server, 1);
    int64_t begin_us = xtrace_now_us();
    xtrace_client_destroy(client);
    assert_in_range(xtrace_now_us() - begin_us, 0, 2000000);
    fake_server_stop(server);
}

static void nothing_enqueued_is_nothing_to_flush(void **state)
{
    struct xtrace_client *client = support_client(support_options("http://127.0.0.1:1"));
    assert_int_equal(xtrace_client_flush(client, 0), XTRACE_OK);
    assert_int_equal(xtrace_client_shutdown(client, 0), XTRACE_OK);
    xtrace_client_destroy(client);
}

/* In the child: 0 when the client is as dead as the header says. */
static int use_in_child(struct xtrace_client *client)
{
    struct xtrace_observation observation = support_observation();
    struct xtrace_response *response = (struct xtrace_response *)&observation;
    bool ok = xtrace_enqueue_observation(client, &observation, NULL) == XTRACE_CLOSED &&
              xtrace_client_flush(client, 1000) == XTRACE_CLOSED &&
              xtrace_healthz(client, NULL, &response) == XTRACE_CLOSED && response == NULL &&
              xtrace_client_shutdown(client, 0) == XTRACE_CLOSED;
    xtrace_client_destroy(client);
    return ok ? 0 : 1;
}

static void a_forked_child_is_told(void **state)
{
    struct fake_server *server = fake_server_start(ack, 1, false);
    struct xtrace_client *client = support_client(options_of(server, 1));
    enqueue_observations(client, 1);
    assert_int_equal(xtrace_client_flush(client, LONG_MS), XTRACE_OK);
    pid_t child = fork();
    if (child == 0) {
        _exit(use_in_child(client));
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    enqueue_observations(client, 1);
    assert_int_equal(xtrace_client_flush(client, LONG_MS), XTRACE_OK);
    xtrace_client_destroy(client);
    fake_server_stop(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_leaves_when_it_is_full),
        cmocka_unit_test(a_batch_leaves_by_bytes_and_by_age),
        cmocka_unit_test(a_request_carries_one_trace),
        cmocka_unit_test(metrics_have_a_lane_and_a_key_of_their_own),
        cmocka_unit_test(memory_is_bounded_and_drops_are_counted),
        cmocka_unit_test(failures_that_pass_lose_nothing),
        cmocka_unit_test(a_server_that_comes_back_gets_everything),
        cmocka_unit_test(retry_after_holds_the_queue_too),
        cmocka_unit_test(refused_records_are_counted_and_told),
        cmocka_unit_test(what_fails_for_too_long_is_given_up),
        cmocka_unit_test(shutdown_sends_what_is_left),
        cmocka_unit_test(shutdown_does_not_outlast_its_time),
        cmocka_unit_test(destroy_alone_ends_everything_at_once),
        cmocka_unit_test(nothing_enqueued_is_nothing_to_flush),
        cmocka_unit_test(a_forked_child_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
