/* row: the tables and the bands of versions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "common/rfc3339.h"
#include "proto/row.h"

static void key_columns_come_first(void **state)
{
    for (int kind = 0; kind < ROW_KIND_COUNT; kind++) {
        const struct row_table *table = &row_tables[kind];
        for (uint32_t i = 0; i < table->column_count; i++) {
            assert_int_equal(table->columns[i].merge == MERGE_KEY, i < table->key_count);
        }
    }
    assert_string_equal(row_tables[ROW_OBSERVATION].columns[OBSERVATION_METADATA].name, "metadata");
    assert_string_equal(row_tables[ROW_SCORE].columns[SCORE_VALUE].name, "value");
}

static void bands_of_versions_do_not_meet(void **state)
{
    static const int64_t times[] = {0, 1, INT64_C(1772282096789000), RFC3339_MAX_US};
    for (size_t i = 0; i < 4; i++) {
        for (size_t j = 0; j < 4; j++) {
            assert_true(version_weak(times[i]) < version_assumed(times[j]));
            assert_true(version_assumed(times[i]) < version_event(times[j]));
            assert_true(version_event(times[i]) < version_first(times[j]));
        }
        assert_true(version_time(version_weak(times[i])) == times[i]);
        assert_true(version_time(version_assumed(times[i])) == times[i]);
        assert_true(version_time(version_event(times[i])) == times[i]);
        assert_true(version_time(version_first(times[i])) == times[i]);
    }
    assert_true(version_first(1) > version_first(2));
    assert_true(version_weak(1) > version_weak(2));
    assert_true(version_assumed(1) > version_assumed(2));
    assert_true(version_event(1) < version_event(2));
}

static void a_column_is_set_and_cleared(void **state)
{
    struct row row = {.kind = ROW_OBSERVATION};
    row_set_integer(&row, OBSERVATION_METADATA, 1);
    row_set_real(&row, OBSERVATION_LATENCY, 2);
    assert_true(row_has(&row, OBSERVATION_METADATA) && row_has(&row, OBSERVATION_LATENCY));
    row_clear(&row, OBSERVATION_METADATA);
    assert_false(row_has(&row, OBSERVATION_METADATA));
    assert_false(row_has(&row, OBSERVATION_ID));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(key_columns_come_first),
        cmocka_unit_test(bands_of_versions_do_not_meet),
        cmocka_unit_test(a_column_is_set_and_cleared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
