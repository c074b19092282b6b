/* series: what was put in is found until it has not been asked for in a long time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "writer/series.h"

static struct series_key key_of(const char *name, const char *labels)
{
    return (struct series_key){SLICE_LITERAL("p"), slice_from(name), SLICE_LITERAL("default"),
                               slice_from(labels)};
}

static void what_was_put_in_is_found(void **state)
{
    struct series series;
    struct series_key key = key_of("name", "{\"a\":\"b\"}");
    series_init(&series);
    assert_int_equal(series_find(&series, &key), 0);
    series_put(&series, &key, 7);
    assert_int_equal(series_find(&series, &key), 7);
    series_forget(&series);
    assert_int_equal(series_find(&series, &key), 0);
    series_finish(&series);
}

static void each_part_of_a_key_counts(void **state)
{
    const struct series_key keys[] = {
        key_of("ab", "c"),
        key_of("a", "bc"),
        key_of("abc", ""),
        key_of("", "abc"),
        {SLICE_LITERAL("pa"), SLICE_LITERAL("b"), SLICE_LITERAL("default"), SLICE_LITERAL("c")},
        {SLICE_LITERAL("p"), SLICE_LITERAL("ab"), SLICE_LITERAL("other"), SLICE_LITERAL("c")},
        {SLICE_LITERAL("q"), SLICE_LITERAL("ab"), SLICE_LITERAL("default"), SLICE_LITERAL("c")},
    };
    enum { COUNT = sizeof(keys) / sizeof(keys[0]) };
    struct series series;
    series_init(&series);
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(series_find(&series, &keys[i]), 0);
        series_put(&series, &keys[i], i + 1);
    }
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(series_find(&series, &keys[i]), i + 1);
    }
    series_finish(&series);
}

static int64_t visit(struct series *series, int number, bool put)
{
    char labels[32];
    snprintf(labels, sizeof(labels), "%d", number);
    struct series_key key = key_of("n", labels);
    int64_t id = series_find(series, &key);
    if (id == 0 && put) {
        series_put(series, &key, number + 1);
    }
    return id;
}

static void what_is_asked_for_stays_and_the_rest_goes(void **state)
{
    struct series series;
    series_init(&series);
    for (int i = 0; i < 5 * SERIES_HALF_MAX; i++) {
        visit(&series, i, true);
        if (i % 1000 == 0) {
            assert_int_equal(visit(&series, 0, false), 1);
        }
    }
    assert_int_equal(visit(&series, 1, false), 0);
    assert_int_equal(visit(&series, 5 * SERIES_HALF_MAX - 1, false), 5 * SERIES_HALF_MAX);
    assert_true(series._young.count + series._old.count <= 2 * SERIES_HALF_MAX);
    series_finish(&series);
}

static void long_keys_are_bounded_by_their_bytes(void **state)
{
    static char labels[16384];
    struct series series;
    memset(labels, 'x', sizeof(labels));
    series_init(&series);
    for (int i = 0; i < 10000; i++) {
        snprintf(labels, 16, "%015d", i);
        labels[15] = 'x';
        struct series_key key = {
            SLICE_LITERAL("p"), SLICE_LITERAL("n"), SLICE_LITERAL("e"), {labels, sizeof(labels)}};
        series_put(&series, &key, i + 1);
        assert_int_equal(series_find(&series, &key), i + 1);
    }
    assert_true(series._young.arena.used + series._old.arena.used < 3 * SERIES_HALF_BYTES_MAX);
    series_finish(&series);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_in_is_found),
        cmocka_unit_test(each_part_of_a_key_counts),
        cmocka_unit_test(what_is_asked_for_stays_and_the_rest_goes),
        cmocka_unit_test(long_keys_are_bounded_by_their_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
