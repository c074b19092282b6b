/* Blocking calls against a scripted server: what is sent, what is tried again, what comes back. */
#include <pthread.h>
#include <signal.h>

#include "tests/client/support.h"

static enum xtrace_status send_one(struct xtrace_client *client, const struct xtrace_call *call,
                                   struct xtrace_response **response)
{
    struct xtrace_trace trace = support_trace();
    return xtrace_send_batch(client, &trace, NULL, 0, call, response);
}

static void a_batch_is_posted_with_its_token(void **state)
{
    static const struct fake_reply replies[] = {{200, NULL, ACK, 0}};
    struct fake_server *server = fake_server_start(replies, 1, false);
    struct xtrace_client *client = support_client(support_options(fake_server_url(server)));
    struct xtrace_response *response;
    assert_int_equal(send_one(client, NULL, &response), XTRACE_OK);
    assert_int_equal(xtrace_response_http_status(response), 200);
    assert_int_equal(xtrace_response_attempts(response), 1);
    assert_string_equal(xtrace_response_body(response, NULL), ACK);
    struct fake_request request = fake_server_request(server, 0);
    assert_memory_equal(request.head, "POST /v1/l/batch HTTP/1.1\r\n", 27);
    assert_string_equal(fake_header(&request, "Authorization"), "Bearer secret");
    assert_string_equal(fake_header(&request, "Content-Type"), "application/json");
    assert_string_equal(fake_header(&request, "Expect"), "");
    assert_string_equal(fake_header(&request, "Idempotency-Key"), "");
    assert_string_equal(request.body, "{\"trace\":{\"id\":\"" TRACE_ID "\"},\"observations\":[]}");
    xtrace_response_destroy(response);
    xtrace_client_destroy(client);
    fake_server_stop(server);
}

static void keys_are_sent_as_basic_credentials(void **state)
{
    static const struct fake_reply replies[] = {{200, NULL, NULL, 0}};
    struct fake_server *server = fake_server_start(replies, 1, false);
    struct xtrace_options *options = support_options(fake_server_url(server));
    assert_int_equal(xtrace_options_set_keys(options, "pk", "sk:x"), XTRACE_OK);
    struct xtrace_client *client = support_client(options);
    struct xtrace_response *response;
    assert_int_equal(xtrace_healthz(client, NULL, &response), XTRACE_OK);
    assert_string_equal(xtrace_response_body(response, NULL), "");
    struct fake_request request = fake_server_request(server, 0);
    assert_memory_equal(request.head, "GET /healthz HTTP/1.1\r\n", 23);
    assert_string_equal(fake_header(&request, "Authorization"), "Basic cGs6c2s6eA==");
    xtrace_response_destroy(response);
    xtrace_client_destroy(client);
    fake_server_stop(server);
}

static void one_connection_serves_many_calls(void **state)
{
    static const struct fake_reply replies[] = {{200, NULL, ACK, 0}};
    struct fake_server *server = fake_server_start(replies, 1, false);
    struct xtrace_client *client = support_client(support_options(fake_server_url(server)));
    for (int i = 0; i < 5; i++) {
        assert_int_equal(send_one(client, NULL, NULL), XTRACE_OK);
    }
    assert_int_equal(fake_server_request(server, 4).connection, 0);
    xtrace_client_destroy(client);
    fake_server_stop(server);
}

/* Script, then success: the call makes that many attempts. */
static void check_attempts(const struct fake_reply *replies, size_t count)
{
    struct fake_server *server = fake_server_start(replies, count, false);
    struct xtrace_client *client = support_client(support_options(fake_server_url(server)));
    struct xtrace_response *response;
    assert_int_equal(send_one(client, NULL, &response), XTRACE_OK);
    assert_int_equal(xtrace_response_attempts(response), count);
    assert_int_equal(fake_server_count(server), count);
    assert_string_equal(fake_server_request(server, 0).body,
                        fake_server_request(server, count - 1).body);
    xtrace_response_destroy(response);
    xtrace_client_destroy(client);
    fake_server_stop(server);
}

static void passing_failures_are_tried_again(void **state)
{
    static const struct fake_reply statuses[] = {
        {503, NULL, "", 0}, {429, NULL, "", 0}, {500, NULL, "", 0}, {200, NULL, ACK, 0}};
    static const struct fake_reply faults[] = {{200, NULL, NULL, FAKE_CLOSE},
                                               {200, NULL, ACK, FAKE_CUT},
                                               {408, NULL, "", 0},
                                               {200, NULL, ACK, 0}};
    check_attempts(statuses, 4);
    check_attempts(faults, 4);
}

static void check_final(const struct fake_reply *reply, enum xtrace_status expected)
{
    struct fake_server *server = fake_server_start(reply, 1, false);
    struct xtrace_client *client = support_client(support_options(fake_server_url(server)));
    struct xtrace_response *response;
    assert_int_equal(send_one(client, NULL, &response), expected);
    assert_int_equal(xtrace_response_attempts(response), 1);
    assert_int_equal(xtrace_response_http_status(response), reply->fault ? 0 : reply->status);
    assert_true(strlen(xtrace_response_message(response)) > 0);
    xtrace_response_destroy(response);
    xtrace_client_destroy(client);
    fake_server_stop(server);
}

static void final_failures_are_not(void **state)
{
    check_final(&(struct fake_reply){400, NULL, "{}", 0}, XTRACE_REFUSED);
    check_final(&(struct fake_reply){413, NULL, "", 0}, XTRACE_REFUSED);
    check_final(&(struct fake_reply){401, NULL, "{\"message\":\"Unauthorized\"}", 0},
                XTRACE_UNAUTHORIZED);
    check_final(&(struct fake_reply){404, NULL, "", 0}, XTRACE_NOT_FOUND);
    check_final(&(struct fake_reply){501, NULL, "", 0}, XTRACE_SERVER_ERROR);
    check_final(&(struct fake_reply){302, "Location: http://127.0.0.1:1/\r\n", "", 0},
                XTRACE_PROTOCOL);
    check_final(&(struct fake_reply){200, NULL, NULL, FAKE_GARBAGE}, XTRACE_PROTOCOL);
}

static void attempts_end_at_their_number(void **state)
{
    static const struct fake_reply replies[] = {
        {503, NULL, "{\"message\":\"away\",\"code\":\"SERVICE_UNAVAILABLE\"}", 0}};
    struct fake_server *server = fake_server_start(replies, 1, false);
    struct xtrace_client *client = support_client(support_options(fake_server_url(server)));
    struct xtrace_response *response;
    assert_int_equal(send_one(client, NULL, &response), XTRACE_UNAVAILABLE);
    assert_int_equal(xtrace_response_attempts(response), 4);
    assert_string_equal(xtrace_response_message(response), "away");
    assert_string_equal(xtrace_response_code(response), "SERVICE_UNAVAILABLE");
    xtrace_response_destroy(response);
    struct xtrace_call once = xtrace_call_init();
    once.attempts = 1;
    assert_int_equal(send_one(client, &once, NULL), XTRACE_UNAVAILABLE);
    assert_int_equal(fake_server_count(server), 5);
    xtrace_client_destroy(client);
    fake_server_stop(server);
}

static void retry_after_is_waited_for(void **state)
{
    static const struct fake_reply replies[] = {{429, "Retry-After: 1\r\n", "", 0},
                                                {200, NULL, ACK, 0}};
    struct fake_server *server = fake_server_start(replies, 2, false);
    struct xtrace_client *client = support_client(support_options(fake_server_url(server)));
    assert_int_equal(send_one(client, NULL, NULL), XTRACE_OK);
    int64_t waited_ms = fake_server_request(server, 1).at_ms - fake_server_request(server, 0).at_ms;
    assert_in_range(waited_ms, 999, 5000);
    xtrace_client_destroy(client);
    fake_server_stop(server);
}

static void a_retry_after_beyond_the_call_ends_it_at_once(void **state)
{
    static const struct fake_reply replies[] = {{503, "Retry-After: 3600\r\n", "", 0}};
    struct fake_server *server = fake_server_start(replies, 1, false);
    struct xtrace_client *client = support_client(support_options(fake_server_url(server)));
    struct xtrace_response *response;
    assert_int_equal(send_one(client, NULL, &response), XTRACE_UNAVAILABLE);
    assert_int_equal(xtrace_response_attempts(response), 1);
    assert_int_equal(xtrace_response_retry_after_ms(response), 3600000);
    xtrace_response_destroy(response);
    xtrace_client_destroy(client);
    fake_server_stop(server);
}

static void a_slow_server_costs_the_time_of_the_call(void **state)
{
    static const struct fake_reply replies[] = {{200, NULL, ACK, FAKE_HOLD}};
    struct fake_server *server = fake_server_start(replies, 1, false);
    struct xtrace_client *client = support_client(support_options(fake_server_url(server)));
    struct xtrace_call call = xtrace_call_init();
    call.timeout_ms = 150;
    int64_t begin_us = xtrace_now_us();
    struct xtrace_response *response;
    assert_int_equal(send_one(client, &call, &response), XTRACE_TIMEOUT);
    assert_in_range(xtrace_now_us() - begin_us, 140000, 5000000);
    assert_int_equal(xtrace_response_http_status(response), 0);
    xtrace_response_destroy(response);
    xtrace_client_destroy(client);
    fake_server_stop(server);
}

static void a_server_that_is_gone_is_unreachable(void **state)
{
    static const struct fake_reply replies[] = {{200, NULL, ACK, 0}};
    struct fake_server *server = fake_server_start(replies, 1, true);
    struct xtrace_client *client = support_client(support_options(fake_server_url(server)));
    struct xtrace_response *response;
    assert_int_equal(send_one(client, NULL, &response), XTRACE_UNREACHABLE);
    assert_int_equal(xtrace_response_attempts(response), 4);
    assert_int_equal(xtrace_response_http_status(response), 0);
    assert_null(strstr(xtrace_response_message(response), "secret"));
    xtrace_response_destroy(response);
    fake_server_listen(server);
    assert_int_equal(send_one(client, NULL, NULL), XTRACE_OK);
    xtrace_client_destroy(client);
    fake_server_stop(server);
}

static void refused_records_are_named(void **state)
{
    static const struct fake_reply replies[] = {
        {400, NULL,
         "{\"message\":\"1 of 3 records were refused\",\"code\":\"BAD_REQUEST\","
         "\"errors\":[{\"path\":\"observations[1].startTime\",\"id\":\"o-1\",\"message\":\"no "
         "time\"},"
         "{\"path\":\"trace\",\"message\":\"x\"},7],\"stored\":{\"traces\":1,\"observations\":1}}",
         0}};
    struct fake_server *server = fake_server_start(replies, 1, false);
    struct xtrace_client *client = support_client(support_options(fake_server_url(server)));
    struct xtrace_response *response;
    struct xtrace_refusal refusal;
    assert_int_equal(send_one(client, NULL, &response), XTRACE_REFUSED);
    assert_string_equal(xtrace_response_message(response), "1 of 3 records were refused");
    assert_int_equal(xtrace_response_refusal_count(response), 3);
    assert_true(xtrace_response_refusal(response, 0, &refusal));
    assert_string_equal(refusal.path, "observations[1].startTime");
    assert_string_equal(refusal.id, "o-1");
    assert_string_equal(refusal.message, "no time");
    assert_true(xtrace_response_refusal(response, 1, &refusal));
    assert_string_equal(refusal.id, "");
    assert_false(xtrace_response_refusal(response, 3, &refusal));
    xtrace_response_destroy(response);
    xtrace_client_destroy(client);
    fake_server_stop(server);
}

static void an_answer_beyond_its_bound_is_not_kept(void **state)
{
    char *body = malloc(20001);
    memset(body, 'x', 20000);
    body[20000] = '\0';
    const struct fake_reply reply = {200, NULL, body, 0};
    struct fake_server *server = fake_server_start(&reply, 1, false);
    struct xtrace_options *options = support_options(fake_server_url(server));
    assert_int_equal(xtrace_options_set_max_answer_bytes(options, 10000), XTRACE_OK);
    struct xtrace_client *client = support_client(options);
    assert_int_equal(xtrace_healthz(client, NULL, NULL), XTRACE_PROTOCOL);
    xtrace_client_destroy(client);
    fake_server_stop(server);
    free(body);
}

static void metrics_carry_one_key_through_all_attempts(void **state)
{
    static const struct fake_reply replies[] = {{503, NULL, "", 0}, {200, NULL, ACK, 0}};
    struct fake_server *server = fake_server_start(replies, 2, false);
    struct xtrace_client *client = support_client(support_options(fake_server_url(server)));
    struct xtrace_metric metric = support_metric();
    struct xtrace_call call = xtrace_call_init();
    call.idempotency_key = "mine";
    assert_int_equal(xtrace_send_metrics(client, &metric, 1, NULL, NULL), XTRACE_OK);
    assert_int_equal(xtrace_send_metrics(client, &metric, 1, &call, NULL), XTRACE_OK);
    call.idempotency_key = "not mine\r\n";
    assert_int_equal(xtrace_send_metrics(client, &metric, 1, &call, NULL), XTRACE_INVALID);
    struct fake_request first = fake_server_request(server, 0);
    struct fake_request second = fake_server_request(server, 1);
    struct fake_request third = fake_server_request(server, 2);
    char key[64];
    assert_memory_equal(first.head, "POST /v1/metrics/batch ", 23);
    strncpy(key, fake_header(&first, "Idempotency-Key"), sizeof(key) - 1);
    assert_int_equal(strlen(key), 36);
    assert_string_equal(fake_header(&second, "Idempotency-Key"), key);
    assert_string_equal(fake_header(&third, "Idempotency-Key"), "mine");
    xtrace_client_destroy(client);
    fake_server_stop(server);
}

static void what_is_wrong_never_leaves(void **state)
{
    static const struct fake_reply replies[] = {{200, NULL, ACK, 0}};
    struct fake_server *server = fake_server_start(replies, 1, false);
    struct xtrace_client *client = support_client(support_options(fake_server_url(server)));
    struct xtrace_trace trace = support_trace();
    struct xtrace_response *response;
    struct xtrace_call call = {0};
    trace.input_json = "{";
    assert_int_equal(xtrace_send_batch(client, &trace, NULL, 0, NULL, &response), XTRACE_INVALID);
    assert_non_null(strstr(xtrace_response_message(response), "trace.input"));
    assert_int_equal(xtrace_response_attempts(response), 0);
    xtrace_response_destroy(response);
    assert_int_equal(send_one(client, &call, NULL), XTRACE_INVALID);
    assert_int_equal(xtrace_get_trace(client, "", NULL, NULL), XTRACE_INVALID);
    assert_int_equal(xtrace_get(client, "no/slash", NULL, NULL), XTRACE_INVALID);
    assert_int_equal(xtrace_get(client, "/a b", NULL, NULL), XTRACE_INVALID);
    assert_int_equal(fake_server_count(server), 0);
    xtrace_client_destroy(client);
    fake_server_stop(server);
}

static void the_signals_of_the_caller_are_as_before(void **state)
{
    static const struct fake_reply replies[] = {{200, NULL, NULL, FAKE_CLOSE}, {200, NULL, ACK, 0}};
    struct fake_server *server = fake_server_start(replies, 2, false);
    struct xtrace_client *client = support_client(support_options(fake_server_url(server)));
    sigset_t blocked;
    assert_int_equal(send_one(client, NULL, NULL), XTRACE_OK);
    pthread_sigmask(SIG_BLOCK, NULL, &blocked);
    assert_false(sigismember(&blocked, SIGPIPE));
    /* One that the application itself has left pending stays so. */
    sigset_t pipe_only, pending;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_only, NULL);
    pthread_kill(pthread_self(), SIGPIPE);
    assert_int_equal(send_one(client, NULL, NULL), XTRACE_OK);
    sigpending(&pending);
    assert_true(sigismember(&pending, SIGPIPE));
    int number;
    sigwait(&pipe_only, &number);
    pthread_sigmask(SIG_UNBLOCK, &pipe_only, NULL);
    xtrace_client_destroy(client);
    fake_server_stop(server);
}

static void shut_down_means_closed(void **state)
{
    static const struct fake_reply replies[] = {{200, NULL, ACK, 0}};
    struct fake_server *server = fake_server_start(replies, 1, false);
    struct xtrace_client *client = support_client(support_options(fake_server_url(server)));
    struct xtrace_trace trace = support_trace();
    assert_int_equal(xtrace_client_shutdown(client, 1000), XTRACE_OK);
    assert_int_equal(xtrace_client_shutdown(client, 1000), XTRACE_OK);
    assert_int_equal(send_one(client, NULL, NULL), XTRACE_CLOSED);
    assert_int_equal(xtrace_enqueue_trace(client, &trace, NULL), XTRACE_CLOSED);
    assert_int_equal(xtrace_client_flush(client, 1000), XTRACE_CLOSED);
    xtrace_client_destroy(client);
    xtrace_client_destroy(NULL);
    assert_int_equal(fake_server_count(server), 0);
    fake_server_stop(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_is_posted_with_its_token),
        cmocka_unit_test(keys_are_sent_as_basic_credentials),
        cmocka_unit_test(one_connection_serves_many_calls),
        cmocka_unit_test(passing_failures_are_tried_again),
        cmocka_unit_test(final_failures_are_not),
        cmocka_unit_test(attempts_end_at_their_number),
        cmocka_unit_test(retry_after_is_waited_for),
        cmocka_unit_test(a_retry_after_beyond_the_call_ends_it_at_once),
        cmocka_unit_test(a_slow_server_costs_the_time_of_the_call),
        cmocka_unit_test(a_server_that_is_gone_is_unreachable),
        cmocka_unit_test(refused_records_are_named),
        cmocka_unit_test(an_answer_beyond_its_bound_is_not_kept),
        cmocka_unit_test(metrics_carry_one_key_through_all_attempts),
        cmocka_unit_test(what_is_wrong_never_leaves),
        cmocka_unit_test(the_signals_of_the_caller_are_as_before),
        cmocka_unit_test(shut_down_means_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
