#include "tests/client/support.h"

struct xtrace_options *support_options(const char *url)
{
    struct xtrace_options *options;
    assert_int_equal(xtrace_options_create(&options), XTRACE_OK);
    assert_int_equal(xtrace_options_set_url(options, url), XTRACE_OK);
    assert_int_equal(xtrace_options_set_token(options, "secret"), XTRACE_OK);
    assert_int_equal(xtrace_options_set_retry(options, 4, 1, 2, 300000), XTRACE_OK);
    return options;
}

struct xtrace_client *support_client(struct xtrace_options *options)
{
    struct xtrace_client *client;
    struct xtrace_error error;
    assert_int_equal(xtrace_client_create(&client, options, &error), XTRACE_OK);
    xtrace_options_destroy(options);
    return client;
}

struct xtrace_trace support_trace(void)
{
    struct xtrace_trace trace = xtrace_trace_init();
    trace.id = TRACE_ID;
    return trace;
}

struct xtrace_observation support_observation(void)
{
    struct xtrace_observation observation = xtrace_observation_init();
    observation.id = OBSERVATION_ID;
    observation.trace_id = TRACE_ID;
    return observation;
}

struct xtrace_metric support_metric(void)
{
    struct xtrace_metric metric = xtrace_metric_init();
    metric.name = "gpu";
    metric.value = 0.5;
    metric.timestamp_us = 1767225600000000; /* 2026-01-01 */
    return metric;
}

struct xtrace_stats support_stats(struct xtrace_client *client)
{
    struct xtrace_stats stats = xtrace_stats_init();
    assert_int_equal(xtrace_client_stats(client, &stats), XTRACE_OK);
    return stats;
}

void support_check_books(struct xtrace_client *client)
{
    struct xtrace_stats s = support_stats(client);
    assert_int_equal(s.accepted, s.sent + s.refused + s.given_up + s.left_over + s.queued);
}
