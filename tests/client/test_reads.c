/* client/reads.c: query structs -> paths and query strings. */
#include <stdio.h>

#include "tests/client/support.h"

static const struct fake_reply replies[] = {{200, NULL, "{\"data\":[]}", 0}};

struct fixture {
    struct fake_server *server;
    struct xtrace_client *client;
};

static int set_up(void **state)
{
    struct fixture *fixture = malloc(sizeof(*fixture));
    fixture->server = fake_server_start(replies, 1, false);
    fixture->client = support_client(support_options(fake_server_url(fixture->server)));
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    xtrace_client_destroy(fixture->client);
    fake_server_stop(fixture->server);
    free(fixture);
    return 0;
}

/* The last request's path and query. */
static void check_target(struct fixture *fixture, const char *expected)
{
    struct fake_request request =
        fake_server_request(fixture->server, fake_server_count(fixture->server) - 1);
    char line[1024];
    snprintf(line, sizeof(line), "GET %s HTTP/1.1\r\n", expected);
    assert_memory_equal(request.head, line, strlen(line));
}

static void an_empty_query_asks_for_everything(void **state)
{
    struct fixture *f = *state;
    struct xtrace_trace_query query = xtrace_trace_query_init();
    assert_int_equal(xtrace_list_traces(f->client, &query, NULL, NULL), XTRACE_OK);
    check_target(f, "/api/public/traces");
}

static void the_full_query_of_traces(void **state)
{
    static const char *const tags[] = {"a b", "c&d"};
    static const char *const environments[] = {"prod", ""};
    struct fixture *f = *state;
    struct xtrace_trace_query query = xtrace_trace_query_init();
    query.page = 2;
    query.limit = 10;
    query.user_id = "u+1";
    query.name = "";
    query.session_id = "s";
    query.version = "v";
    query.release = "r";
    query.from_us = 1767225600000000;
    query.to_us = 1767225600500000;
    query.tags = tags;
    query.tag_count = 2;
    query.environments = environments;
    query.environment_count = 2;
    query.order_by = "latency.desc";
    query.fields = "core,io";
    query.turn_id = "t";
    query.run_id = "r/1";
    query.filter_json = "[]";
    assert_int_equal(xtrace_list_traces(f->client, &query, NULL, NULL), XTRACE_OK);
    check_target(f, "/api/public/traces?page=2&limit=10&userId=u%2B1&name=&sessionId=s&version=v"
                    "&release=r&tags=a%20b&tags=c%26d&environment=prod&environment="
                    "&orderBy=latency.desc&fields=core%2Cio&turnId=t&runId=r%2F1&filter=%5B%5D"
                    "&fromTimestamp=2026-01-01T00:00:00.000000Z"
                    "&toTimestamp=2026-01-01T00:00:00.500000Z");
}

static void a_query_of_an_earlier_version_is_shorter(void **state)
{
    struct fixture *f = *state;
    struct xtrace_trace_query query = xtrace_trace_query_init();
    query.size = offsetof(struct xtrace_trace_query, turn_id);
    query.turn_id = "not there yet";
    query.fields = "core";
    assert_int_equal(xtrace_list_traces(f->client, &query, NULL, NULL), XTRACE_OK);
    check_target(f, "/api/public/traces?fields=core");
    query.size--;
    assert_int_equal(xtrace_list_traces(f->client, &query, NULL, NULL), XTRACE_INVALID);
}

static void without_a_query_nothing_is_set(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(xtrace_list_traces(f->client, NULL, NULL, NULL), XTRACE_OK);
    check_target(f, "/api/public/traces");
    assert_int_equal(xtrace_list_sessions(f->client, NULL, NULL, NULL), XTRACE_OK);
    assert_int_equal(xtrace_daily_metrics(f->client, NULL, NULL, NULL), XTRACE_OK);
    check_target(f, "/api/public/metrics/daily");
    assert_int_equal(xtrace_query_metrics(f->client, NULL, NULL, NULL), XTRACE_INVALID);
}

static void ids_are_one_segment(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(xtrace_get_trace(f->client, "a/../b c", NULL, NULL), XTRACE_OK);
    check_target(f, "/api/public/traces/a%2F..%2Fb%20c");
    assert_int_equal(xtrace_get_session(f->client, "s?x", NULL, NULL), XTRACE_OK);
    check_target(f, "/api/public/sessions/s%3Fx");
    assert_int_equal(xtrace_get_run(f->client, "r/1", NULL, NULL), XTRACE_OK);
    check_target(f, "/api/public/runs/r%2F1");
}

static void daily_and_sessions(void **state)
{
    static const char *const tags[] = {"t"};
    struct fixture *f = *state;
    struct xtrace_daily_query daily = xtrace_daily_query_init();
    daily.limit = 7;
    daily.trace_name = "chat";
    daily.user_id = "u";
    daily.version = "v";
    daily.release = "r";
    daily.tags = tags;
    daily.tag_count = 1;
    assert_int_equal(xtrace_daily_metrics(f->client, &daily, NULL, NULL), XTRACE_OK);
    check_target(f, "/api/public/metrics/daily?limit=7&traceName=chat&userId=u&version=v&release=r"
                    "&tags=t");
    struct xtrace_session_query sessions = xtrace_session_query_init();
    sessions.page = 3;
    assert_int_equal(xtrace_list_sessions(f->client, &sessions, NULL, NULL), XTRACE_OK);
    check_target(f, "/api/public/sessions?page=3");
}

static void metrics_are_asked_for_by_name_and_labels(void **state)
{
    static const struct xtrace_label labels[] = {{"node", "n\"1"}};
    struct fixture *f = *state;
    struct xtrace_metric_query query = xtrace_metric_query_init();
    assert_int_equal(xtrace_query_metrics(f->client, &query, NULL, NULL), XTRACE_INVALID);
    query.name = "gpu";
    query.labels = labels;
    query.label_count = 1;
    query.step = "5m";
    query.agg = "p99";
    query.group_by = "node";
    query.to_us = 1767225600000000;
    assert_int_equal(xtrace_query_metrics(f->client, &query, NULL, NULL), XTRACE_OK);
    check_target(f, "/api/public/metrics/query?name=gpu&labels=%7B%22node%22%3A%22n%5C%221%22%7D"
                    "&step=5m&agg=p99&group_by=node&to=2026-01-01T00:00:00.000000Z");
    assert_int_equal(xtrace_metric_names(f->client, NULL, NULL), XTRACE_OK);
    check_target(f, "/api/public/metrics/names");
}

static void the_rest(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(xtrace_readyz(f->client, NULL, NULL), XTRACE_OK);
    check_target(f, "/readyz");
    assert_int_equal(xtrace_get(f->client, "/api/public/projects?x=%20", NULL, NULL), XTRACE_OK);
    check_target(f, "/api/public/projects?x=%20");
    struct xtrace_trace_query query = {0};
    assert_int_equal(xtrace_list_traces(f->client, &query, NULL, NULL), XTRACE_INVALID);
    query = xtrace_trace_query_init();
    query.from_us = INT64_MAX;
    assert_int_equal(xtrace_list_traces(f->client, &query, NULL, NULL), XTRACE_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_query_asks_for_everything),
        cmocka_unit_test(the_full_query_of_traces),
        cmocka_unit_test(a_query_of_an_earlier_version_is_shorter),
        cmocka_unit_test(without_a_query_nothing_is_set),
        cmocka_unit_test(ids_are_one_segment),
        cmocka_unit_test(daily_and_sessions),
        cmocka_unit_test(metrics_are_asked_for_by_name_and_labels),
        cmocka_unit_test(the_rest),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
