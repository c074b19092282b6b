/* client/options.c: what is taken and what is not. */
#include "client/options.h"

#include "tests/client/support.h"

static struct xtrace_options *make(void)
{
    struct xtrace_options *options;
    assert_int_equal(xtrace_options_create(&options), XTRACE_OK);
    return options;
}

static void a_url_is_http_without_anything_odd(void **state)
{
    static const char *const bad[] = {"",
                                      "127.0.0.1:8080",
                                      "ftp://x",
                                      "http://",
                                      "http:///x",
                                      "http://u:p@x",
                                      "http://x/?a",
                                      "http://x/#f",
                                      "http://x y",
                                      "http://x\r\nHost: y",
                                      "http://x:",
                                      "http://x:0",
                                      "http://x:65536/p",
                                      "http://[::1]:123456"};
    struct xtrace_options *options = make();
    assert_string_equal(options->url, "http://127.0.0.1:8080");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(xtrace_options_set_url(options, bad[i]), XTRACE_INVALID);
    }
    assert_string_equal(options->url, "http://127.0.0.1:8080");
    assert_int_equal(xtrace_options_set_url(options, "https://x/prefix//"), XTRACE_OK);
    assert_string_equal(options->url, "https://x/prefix");
    assert_int_equal(xtrace_options_set_url(options, "http://[::1]:65535/"), XTRACE_OK);
    assert_int_equal(xtrace_options_set_url(options, "http://[::1]"), XTRACE_OK);
    assert_int_equal(xtrace_options_set_url(options, "http://x8080/a:99999"), XTRACE_OK);
    xtrace_options_destroy(options);
}

static void the_last_credentials_count(void **state)
{
    struct xtrace_options *options = make();
    assert_int_equal(xtrace_options_set_token(options, "t\r\nX: y"), XTRACE_INVALID);
    assert_int_equal(xtrace_options_set_token(options, ""), XTRACE_INVALID);
    assert_int_equal(xtrace_options_set_token(options, "t"), XTRACE_OK);
    assert_int_equal(xtrace_options_set_keys(options, "p:q", "s"), XTRACE_INVALID);
    assert_int_equal(xtrace_options_set_keys(options, "p", "s:with:colons"), XTRACE_OK);
    assert_null(options->token);
    assert_int_equal(xtrace_options_set_token(options, "t"), XTRACE_OK);
    assert_null(options->public_key);
    xtrace_options_destroy(options);
}

static void numbers_have_bounds(void **state)
{
    struct xtrace_options *options = make();
    assert_int_equal(xtrace_options_set_timeouts(options, 0, 1, 1), XTRACE_INVALID);
    assert_int_equal(xtrace_options_set_timeouts(options, 1, 1, UINT32_MAX), XTRACE_INVALID);
    assert_int_equal(xtrace_options_set_retry(options, 0, 1, 1, 1), XTRACE_INVALID);
    assert_int_equal(xtrace_options_set_retry(options, 1, 2, 1, 1), XTRACE_INVALID);
    assert_int_equal(xtrace_options_set_queue_bytes(options, 100), XTRACE_INVALID);
    assert_int_equal(xtrace_options_set_batch(options, 0, 1, 1), XTRACE_INVALID);
    assert_int_equal(xtrace_options_set_max_answer_bytes(options, 0), XTRACE_INVALID);
    assert_int_equal(xtrace_options_set_ca_file(options, ""), XTRACE_INVALID);
    xtrace_options_destroy(options);
    xtrace_options_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_is_http_without_anything_odd),
        cmocka_unit_test(the_last_credentials_count),
        cmocka_unit_test(numbers_have_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
