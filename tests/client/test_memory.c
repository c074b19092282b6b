/* Every allocation of the library fails once, at each place in turn: the call says so, and nothing is
 * lost, leaked or crashed. Linked with --wrap, so that libcurl's own allocations are left alone. */
#include <stdatomic.h>

#include "tests/client/support.h"

void *__real_malloc(size_t len);
void *__real_calloc(size_t count, size_t len);
void *__real_realloc(void *old, size_t len);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t len);
void *__wrap_calloc(size_t count, size_t len);
void *__wrap_realloc(void *old, size_t len);
char *__wrap_strdup(const char *text);

/* The allocation that fails, counted down; below zero none does. */
static atomic_int until_failure = -1;

static bool fails(void)
{
    return atomic_load(&until_failure) >= 0 && atomic_fetch_sub(&until_failure, 1) == 0;
}

void *__wrap_malloc(size_t len)
{
    return fails() ? NULL : __real_malloc(len);
}

void *__wrap_calloc(size_t count, size_t len)
{
    return fails() ? NULL : __real_calloc(count, len);
}

void *__wrap_realloc(void *old, size_t len)
{
    return fails() ? NULL : __real_realloc(old, len);
}

char *__wrap_strdup(const char *text)
{
    return fails() ? NULL : __real_strdup(text);
}

/* True when the failure was used up, so that there may be a later place to fail at. */
static bool end_failing(void)
{
    return atomic_exchange(&until_failure, -1) < 0;
}

static void begin_failing(int at)
{
    atomic_store(&until_failure, at);
}

static enum xtrace_status create(const char *url, struct xtrace_client **client)
{
    struct xtrace_options *options;
    *client = NULL;
    enum xtrace_status status = xtrace_options_create(&options);
    if (status != XTRACE_OK) {
        return status;
    }
    status = xtrace_options_set_url(options, url);
    status = status == XTRACE_OK ? xtrace_options_set_keys(options, "pk", "sk") : status;
    status = status == XTRACE_OK ? xtrace_options_set_token(options, "secret") : status;
    status = status == XTRACE_OK ? xtrace_client_create(client, options, NULL) : status;
    xtrace_options_destroy(options);
    return status;
}

static void creating_a_client_survives_the_lack_of_memory(void **state)
{
    bool again = true;
    for (int at = 0; again; at++) {
        struct xtrace_client *client;
        begin_failing(at);
        enum xtrace_status status = create("http://127.0.0.1:1", &client);
        again = end_failing();
        assert_int_equal(status, again ? XTRACE_NO_MEMORY : XTRACE_OK);
        assert_int_equal(client == NULL, again);
        xtrace_client_destroy(client);
        assert_true(at < 100);
    }
}

static void blocking_calls_survive_it(void **state)
{
    static const struct fake_reply replies[] = {{400, NULL,
                                                 "{\"message\":\"m\",\"code\":\"C\",\"errors\":[{"
                                                 "\"path\":\"p\",\"id\":\"i\",\"message\":\"q\"}]}",
                                                 0}};
    static const char *const tags[] = {"a", "b"};
    struct fake_server *server = fake_server_start(replies, 1, false);
    struct xtrace_trace trace = support_trace();
    struct xtrace_observation observation = support_observation();
    trace.tags = tags;
    trace.tag_count = 2;
    bool again = true;
    for (int at = 0; again; at++) {
        struct xtrace_client *client = support_client(support_options(fake_server_url(server)));
        struct xtrace_response *response;
        begin_failing(at);
        enum xtrace_status status =
            xtrace_send_batch(client, &trace, &observation, 1, NULL, &response);
        again = end_failing();
        assert_int_equal(status, again ? XTRACE_NO_MEMORY : XTRACE_REFUSED);
        if (response != NULL) {
            assert_true(strlen(xtrace_response_message(response)) > 0);
        }
        xtrace_response_destroy(response);
        xtrace_client_destroy(client);
        assert_true(at < 200);
    }
    fake_server_stop(server);
}

static void queries_survive_it(void **state)
{
    static const struct fake_reply replies[] = {{200, NULL, "{\"data\":[]}", 0}};
    static const struct xtrace_label labels[] = {{"k", "v"}};
    struct fake_server *server = fake_server_start(replies, 1, false);
    struct xtrace_metric_query query = xtrace_metric_query_init();
    query.name = "gpu";
    query.labels = labels;
    query.label_count = 1;
    bool again = true;
    for (int at = 0; again; at++) {
        struct xtrace_client *client = support_client(support_options(fake_server_url(server)));
        begin_failing(at);
        enum xtrace_status status = xtrace_query_metrics(client, &query, NULL, NULL);
        again = end_failing();
        assert_int_equal(status, again ? XTRACE_NO_MEMORY : XTRACE_OK);
        xtrace_client_destroy(client);
        assert_true(at < 200);
    }
    fake_server_stop(server);
}

/* Whatever fails, on the caller's side or on the thread's: what was taken is sent. */
static void the_queue_survives_it(void **state)
{
    static const struct fake_reply replies[] = {{200, NULL, ACK, 0}};
    struct fake_server *server = fake_server_start(replies, 1, false);
    struct xtrace_observation observation = support_observation();
    bool again = true;
    for (int at = 0; again; at++) {
        struct xtrace_client *client = support_client(support_options(fake_server_url(server)));
        begin_failing(at);
        enum xtrace_status status = xtrace_enqueue_observation(client, &observation, NULL);
        assert_int_equal(xtrace_client_flush(client, 20000), XTRACE_OK);
        again = end_failing();
        assert_true(status == XTRACE_OK || (again && status == XTRACE_NO_MEMORY));
        assert_int_equal(support_stats(client).sent, status == XTRACE_OK);
        support_check_books(client);
        xtrace_client_destroy(client);
        assert_true(at < 200);
    }
    fake_server_stop(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(creating_a_client_survives_the_lack_of_memory),
        cmocka_unit_test(blocking_calls_survive_it),
        cmocka_unit_test(queries_survive_it),
        cmocka_unit_test(the_queue_survives_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
