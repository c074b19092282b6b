/* client/retry.c: the waits between attempts. */
#include "client/retry.h"

#include "tests/client/support.h"

static const struct xtrace_retry retry = {200, 10000};

static void waits_double_up_to_the_bound(void **state)
{
    assert_in_range(xtrace_retry_wait_ms(retry, 1, 0, UINT32_MAX), 199, 200);
    assert_in_range(xtrace_retry_wait_ms(retry, 2, 0, UINT32_MAX), 399, 400);
    assert_in_range(xtrace_retry_wait_ms(retry, 6, 0, UINT32_MAX), 6399, 6400);
    assert_in_range(xtrace_retry_wait_ms(retry, 7, 0, UINT32_MAX), 9999, 10000);
    assert_in_range(xtrace_retry_wait_ms(retry, UINT32_MAX, 0, UINT32_MAX), 9999, 10000);
}

static void jitter_takes_up_to_half(void **state)
{
    assert_int_equal(xtrace_retry_wait_ms(retry, 1, 0, 0), 100);
    assert_int_equal(xtrace_retry_wait_ms(retry, 1, 0, 1u << 31), 150);
    assert_int_equal(xtrace_retry_wait_ms((struct xtrace_retry){1, 1}, 1, 0, 0), 1);
}

static void retry_after_is_the_least(void **state)
{
    assert_int_equal(xtrace_retry_wait_ms(retry, 1, 3000, 0), 3000);
    assert_int_equal(xtrace_retry_wait_ms(retry, 9, 3000, 0), 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_double_up_to_the_bound),
        cmocka_unit_test(jitter_takes_up_to_half),
        cmocka_unit_test(retry_after_is_the_least),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
