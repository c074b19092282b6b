/* The token bucket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/limit.h"

static const uint8_t key_a[LIMIT_KEY_SIZE] = {1};
static const uint8_t key_b[LIMIT_KEY_SIZE] = {2};

static bool take(struct limit *limit, const uint8_t *key, int64_t now_us)
{
    int64_t retry_after_s = -1;
    bool taken = limit_take(limit, key, now_us, &retry_after_s);
    assert_true(taken || retry_after_s >= 1);
    return taken;
}

static void a_burst_passes_and_the_next_does_not(void **state)
{
    struct limit *limit = limit_create(20, 40);
    for (int i = 0; i < 40; i++) {
        assert_true(take(limit, key_a, 1000000));
    }
    assert_false(take(limit, key_a, 1000000));
    limit_destroy(limit);
}

static void tokens_come_back_at_the_sustained_rate(void **state)
{
    struct limit *limit = limit_create(20, 2);
    assert_true(take(limit, key_a, 0));
    assert_true(take(limit, key_a, 0));
    assert_false(take(limit, key_a, 49999));
    assert_true(take(limit, key_a, 50000));
    assert_false(take(limit, key_a, 50000));
    int passed = 0;
    for (int64_t now_us = 1000000; now_us < 11000000; now_us += 10000) {
        passed += take(limit, key_a, now_us);
    }
    assert_in_range(passed, 200, 202);
    limit_destroy(limit);
}

static void stats_count_and_name_the_most_rejected_first(void **state)
{
    struct limit *limit = limit_create(1, 1);
    struct limit_stats stats;
    for (uint8_t key = 1; key <= LIMIT_TOP + 5; key++) {
        const uint8_t bytes[LIMIT_KEY_SIZE] = {key};
        for (int i = 0; i <= key; i++) {
            take(limit, bytes, 0);
        }
    }
    limit_read_stats(limit, &stats);
    assert_int_equal(stats.allowed, LIMIT_TOP + 5);
    assert_int_equal(stats.rejected, (LIMIT_TOP + 5) * (LIMIT_TOP + 6) / 2);
    assert_int_equal(stats.top_count, LIMIT_TOP);
    for (uint32_t i = 0; i < LIMIT_TOP; i++) {
        assert_int_equal(stats.top[i].key[0], LIMIT_TOP + 5 - i);
        assert_int_equal(stats.top[i].rejected, LIMIT_TOP + 5 - i);
    }
    limit_destroy(limit);
    limit_read_stats(NULL, &stats);
    assert_int_equal(stats.allowed + stats.rejected + stats.top_count, 0);
}

static void refused_requests_do_not_push_the_end_away(void **state)
{
    struct limit *limit = limit_create(1, 1);
    assert_true(take(limit, key_a, 0));
    for (int i = 0; i < 100; i++) {
        assert_false(take(limit, key_a, 500000));
    }
    assert_true(take(limit, key_a, 1000000));
    limit_destroy(limit);
}

static void retry_after_is_whole_seconds_rounded_up(void **state)
{
    struct limit *limit = limit_create(1, 3);
    int64_t retry_after_s;
    for (int i = 0; i < 3; i++) {
        assert_true(take(limit, key_a, 0));
    }
    assert_false(limit_take(limit, key_a, 0, &retry_after_s));
    assert_int_equal(retry_after_s, 1);
    assert_false(limit_take(limit, key_a, 999999, &retry_after_s));
    assert_int_equal(retry_after_s, 1);
    limit_destroy(limit);
}

static void credentials_do_not_share_a_bucket(void **state)
{
    struct limit *limit = limit_create(1, 1);
    assert_true(take(limit, key_a, 0));
    assert_true(take(limit, key_b, 0));
    assert_false(take(limit, key_a, 0));
    limit_destroy(limit);
}

static void zero_turns_it_off(void **state)
{
    assert_null(limit_create(0, 40));
    assert_null(limit_create(20, 0));
    for (int i = 0; i < 1000; i++) {
        assert_true(take(NULL, key_a, 0));
    }
    limit_destroy(NULL);
}

static void many_credentials_do_not_grow_it_for_ever(void **state)
{
    struct limit *limit = limit_create(1, 1);
    for (uint32_t i = 0; i < 3 * LIMIT_KEYS_MAX; i++) {
        uint8_t key[LIMIT_KEY_SIZE] = {0};
        memcpy(key, &i, sizeof(i));
        assert_true(take(limit, key, i));
    }
    limit_destroy(limit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_passes_and_the_next_does_not),
        cmocka_unit_test(tokens_come_back_at_the_sustained_rate),
        cmocka_unit_test(stats_count_and_name_the_most_rejected_first),
        cmocka_unit_test(refused_requests_do_not_push_the_end_away),
        cmocka_unit_test(retry_after_is_whole_seconds_rounded_up),
        cmocka_unit_test(credentials_do_not_share_a_bucket),
        cmocka_unit_test(zero_turns_it_off),
        cmocka_unit_test(many_credentials_do_not_grow_it_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
