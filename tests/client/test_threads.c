/* One client, many threads at once: for ThreadSanitizer, and the books still balance. */
#include <pthread.h>

#include "tests/client/support.h"

enum { THREADS = 8, ROUNDS = 200 };

/* While the client is being shut down any status is right. */
static void send_one(struct xtrace_client *client, const struct xtrace_trace *trace,
                     const struct xtrace_observation *observation)
{
    struct xtrace_response *response;
    enum xtrace_status status = xtrace_send_batch(client, trace, observation, 1, NULL, &response);
    assert_true(status == XTRACE_OK || status == XTRACE_CLOSED || status == XTRACE_UNAVAILABLE);
    xtrace_response_destroy(response);
}

static void *use(void *closure)
{
    struct xtrace_client *client = closure;
    struct xtrace_trace trace = support_trace();
    struct xtrace_observation observation = support_observation();
    struct xtrace_metric metric = support_metric();
    for (int i = 0; i < ROUNDS; i++) {
        (void)xtrace_enqueue_observation(client, &observation, NULL);
        (void)xtrace_enqueue_metric(client, &metric, NULL);
        if (i % 20 == 0) {
            (void)xtrace_enqueue_trace(client, &trace, NULL);
            send_one(client, &trace, &observation);
            (void)support_stats(client);
        }
        if (i % 50 == 0) {
            (void)xtrace_client_flush(client, 1000);
        }
    }
    return NULL;
}

static void run_all(struct xtrace_client *client)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, use, client), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
}

static void threads_share_a_client(void **state)
{
    static const struct fake_reply replies[] = {{503, NULL, "", 0}, {200, NULL, ACK, 0}};
    struct fake_server *server = fake_server_start(replies, 2, false);
    struct xtrace_client *client = support_client(support_options(fake_server_url(server)));
    run_all(client);
    assert_int_equal(xtrace_client_flush(client, 20000), XTRACE_OK);
    struct xtrace_stats stats = support_stats(client);
    assert_int_equal(stats.accepted, THREADS * (2 * ROUNDS + ROUNDS / 20));
    assert_int_equal(stats.sent, stats.accepted);
    xtrace_client_destroy(client);
    fake_server_stop(server);
}

static void *shut_down(void *closure)
{
    (void)xtrace_client_shutdown(closure, 50);
    return NULL;
}

static void shutdown_may_come_at_any_time(void **state)
{
    static const struct fake_reply replies[] = {{503, NULL, "", 0}};
    struct fake_server *server = fake_server_start(replies, 1, false);
    struct xtrace_client *client = support_client(support_options(fake_server_url(server)));
    pthread_t stopper, second;
    struct xtrace_observation observation = support_observation();
    assert_int_equal(xtrace_enqueue_observation(client, &observation, NULL), XTRACE_OK);
    assert_int_equal(pthread_create(&stopper, NULL, shut_down, client), 0);
    assert_int_equal(pthread_create(&second, NULL, shut_down, client), 0);
    run_all(client);
    pthread_join(stopper, NULL);
    pthread_join(second, NULL);
    assert_int_equal(support_stats(client).queued, 0);
    support_check_books(client);
    xtrace_client_destroy(client);
    fake_server_stop(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_share_a_client),
        cmocka_unit_test(shutdown_may_come_at_any_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
