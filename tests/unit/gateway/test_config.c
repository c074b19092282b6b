/* The settings table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/config.h"

static int setup(void **state)
{
    for (const struct setting *row = config_rows; row->key != NULL; row++) {
        unsetenv(row->key);
        if (row->also != NULL) {
            unsetenv(row->also);
        }
    }
    setenv("DATABASE_URL", "host=/tmp", 1);
    setenv("API_BEARER_TOKEN", "token", 1);
    return 0;
}

static void expect_error(const char *key)
{
    struct config config;
    struct error error = {""};
    assert_int_equal(config_read(&config, &error), ERR_INVALID);
    assert_non_null(strstr(error.text, key));
    assert_null(strchr(error.text, '\n'));
    config_finish(&config);
}

static void defaults_are_those_of_the_contract(void **state)
{
    struct config config;
    struct error error;
    assert_int_equal(config_read(&config, &error), ERR_OK);
    assert_string_equal(config.bind_addr, "127.0.0.1:8080");
    assert_string_equal(config.project_id, "default");
    assert_null(config.public_key);
    assert_int_equal(config.rate_limit_qps, 20);
    assert_int_equal(config.rate_limit_burst, 40);
    assert_int_equal(config.max_request_body_bytes, 20971520);
    assert_false(config.allow_unauthenticated_compat);
    assert_string_equal(config.queue, "ipc://.xtrace/run/queue");
    assert_int_equal(config.log_level, LOG_INFO);
    assert_int_equal(config.log_format, LOG_FORMAT_TEXT);
    config_finish(&config);
}

static void required_settings_are_named(void **state)
{
    unsetenv("DATABASE_URL");
    expect_error("DATABASE_URL");
    setenv("DATABASE_URL", "x", 1);
    setenv("API_BEARER_TOKEN", "", 1);
    expect_error("API_BEARER_TOKEN");
}

static void bad_values_are_named(void **state)
{
    setenv("XTRACE_THREADS", "many", 1);
    expect_error("XTRACE_THREADS");
    setup(state);
    setenv("XTRACE_MAX_REQUEST_BODY_BYTES", "1", 1);
    expect_error("XTRACE_MAX_REQUEST_BODY_BYTES");
    setup(state);
    setenv("XTRACE_LOG_LEVEL", "loud", 1);
    expect_error("XTRACE_LOG_LEVEL");
    setup(state);
    setenv("XTRACE_LOG_FORMAT", "xml", 1);
    expect_error("XTRACE_LOG_FORMAT");
    setup(state);
    setenv("XTRACE_QUEUE", "udp://x", 1);
    expect_error("XTRACE_QUEUE");
    setup(state);
    setenv("XTRACE_QUEUE", "tcp://10.0.0.1:4000", 1);
    expect_error("XTRACE_QUEUE");
    setup(state);
    setenv("BIND_ADDR", "8080", 1);
    expect_error("BIND_ADDR");
    setup(state);
    char *project = calloc(1, 300);
    memset(project, 'p', 299);
    setenv("DEFAULT_PROJECT_ID", project, 1);
    expect_error("DEFAULT_PROJECT_ID");
    setup(state);
    memset(project, 'h', 299);
    setenv("XTRACE_HOME", project, 1);
    expect_error("XTRACE_HOME");
    free(project);
}

static void a_rate_limit_that_does_not_parse_is_the_default(void **state)
{
    struct config config;
    struct error error;
    setenv("RATE_LIMIT_QPS", "fast", 1);
    setenv("RATE_LIMIT_BURST", "0", 1);
    assert_int_equal(config_read(&config, &error), ERR_OK);
    assert_int_equal(config.rate_limit_qps, 20);
    assert_int_equal(config.rate_limit_burst, 0);
    config_finish(&config);
}

static void langfuse_names_are_read_when_ours_are_unset(void **state)
{
    struct config config;
    struct error error;
    setenv("LANGFUSE_PUBLIC_KEY", "pk-lf", 1);
    setenv("LANGFUSE_SECRET_KEY", "sk-lf", 1);
    setenv("XTRACE_SECRET_KEY", "sk-x", 1);
    assert_int_equal(config_read(&config, &error), ERR_OK);
    assert_string_equal(config.public_key, "pk-lf");
    assert_string_equal(config.secret_key, "sk-x");
    config_finish(&config);
}

static void the_queue_follows_the_home(void **state)
{
    struct config config;
    struct error error;
    setenv("XTRACE_HOME", "/var/lib/xtrace", 1);
    assert_int_equal(config_read(&config, &error), ERR_OK);
    assert_string_equal(config.queue, "ipc:///var/lib/xtrace/run/queue");
    config_finish(&config);
    setenv("XTRACE_QUEUE", "tcp://127.0.0.1:4000", 1);
    assert_int_equal(config_read(&config, &error), ERR_OK);
    assert_string_equal(config.queue, "tcp://127.0.0.1:4000");
    config_finish(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(defaults_are_those_of_the_contract, setup),
        cmocka_unit_test_setup(required_settings_are_named, setup),
        cmocka_unit_test_setup(bad_values_are_named, setup),
        cmocka_unit_test_setup(a_rate_limit_that_does_not_parse_is_the_default, setup),
        cmocka_unit_test_setup(langfuse_names_are_read_when_ours_are_unset, setup),
        cmocka_unit_test_setup(the_queue_follows_the_home, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
