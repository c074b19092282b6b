/* merge: rows of a key become one row, in whatever order they come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "writer/merge.h"

enum { ROUNDS = 4000, ROWS_MAX = 5 };

static uint64_t seed = 2463534242u;

static uint32_t random_below(uint32_t bound)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 32) % bound;
}

static struct slice one_of(const char *const *texts, uint32_t count)
{
    return slice_from(texts[random_below(count)]);
}

static void set_value(struct row *row, uint32_t column)
{
    static const char *const texts[] = {"", "a", "ab", "b"};
    static const char *const documents[] = {"{\"a\": 1}", "{\"a\":{\"b\":2},\"c\":3}",
                                            "{\"c\":[1, 2]}", "{}", "{\"a\":{\"d\":{}}}"};
    static const char *const lists[] = {"[]", "[\"x\"]", "[\"y\",\"x\"]", "[\"z\", \"x\", \"z\"]"};
    static const char *const numbers[] = {"1", "1.5", "15e-1", "-2", "0.10"};
    switch (row_tables[row->kind].columns[column].type) {
    case COLUMN_TEXT:
    case COLUMN_JSON:
        row_set_slice(row, column, one_of(texts, 4));
        break;
    case COLUMN_JSONB:
        row_set_slice(row, column, one_of(documents, 5));
        break;
    case COLUMN_TEXTS:
        row_set_slice(row, column, one_of(lists, 4));
        break;
    case COLUMN_DECIMAL:
        row_set_slice(row, column, one_of(numbers, 5));
        break;
    case COLUMN_FLOAT:
        row_set_real(row, column, random_below(3));
        break;
    case COLUMN_TIME:
    case COLUMN_INT:
    case COLUMN_BOOL:
        row_set_integer(row, column, random_below(2));
        break;
    }
}

static struct row make_row(enum row_kind kind)
{
    struct row row = {.kind = kind, .present = 0};
    int64_t time = 1000 + random_below(4);
    switch (random_below(4)) {
    case 0:
        row.version = version_weak(time);
        break;
    case 1:
        row.version = version_first(time);
        break;
    default:
        row.version = version_event(time);
        break;
    }
    for (uint32_t i = 0; i < row_tables[kind].column_count; i++) {
        if (i < row_tables[kind].key_count) {
            row_set_slice(&row, i, SLICE_LITERAL("key"));
        } else if (random_below(3) != 0) {
            set_value(&row, i);
        }
    }
    return row;
}

/* As it will be in the table: documents normalised, sets once and sorted. */
static void print_merged(struct merged *merged, struct arena *arena, struct buf *out)
{
    const struct row_table *table = &row_tables[merged->kind];
    buf_printf(out, "%lld", (long long)merged->event_version);
    for (uint32_t i = 0; i < table->column_count; i++) {
        if ((merged->present >> i & 1) == 0) {
            continue;
        }
        const struct value *value = &merged->values[i];
        buf_printf(out, " %s=", table->columns[i].name);
        if (table->columns[i].merge == MERGE_METADATA) {
            metadata_print(merge_metadata(merged, arena), out);
            metadata_print_versions(merge_metadata(merged, arena), out);
        } else if (table->columns[i].type == COLUMN_FLOAT) {
            buf_printf(out, "%g", value->real);
        } else if (table->columns[i].type == COLUMN_TIME || table->columns[i].type == COLUMN_INT ||
                   table->columns[i].type == COLUMN_BOOL) {
            buf_printf(out, "%lld", (long long)value->integer);
        } else if (table->columns[i].type == COLUMN_DECIMAL) {
            buf_printf(out, "%g", strtod(arena_text(arena, value->slice), NULL));
        } else {
            json_tree_print(json_tree_parse(value->slice, arena), out);
        }
    }
    int64_t pairs[2 * ROW_COLUMNS_MAX];
    uint32_t count = merge_pack_versions(merged, arena, pairs);
    for (uint32_t i = 0; i < count; i++) {
        buf_printf(out, " %lld", (long long)pairs[i]);
    }
    buf_append_char(out, '\0');
}

static struct merged begin(const struct row *row, struct arena *arena)
{
    struct merged merged;
    merge_begin(&merged, row, SLICE_LITERAL("p"), 5000, arena);
    return merged;
}

static struct merged fold(const struct row *rows, uint32_t count, struct arena *arena)
{
    struct merged all = begin(&rows[0], arena);
    for (uint32_t i = 1; i < count; i++) {
        struct merged more = begin(&rows[i], arena);
        merge_add(&all, &more, arena);
    }
    return all;
}

static void shuffle(struct row *rows, uint32_t count)
{
    for (uint32_t i = count; i > 1; i--) {
        uint32_t other = random_below(i);
        struct row swapped = rows[i - 1];
        rows[i - 1] = rows[other];
        rows[other] = swapped;
    }
}

static void any_order_split_and_repetition_end_in_the_same_row(void **state)
{
    struct arena arena = ARENA_EMPTY;
    struct buf wanted = BUF_EMPTY;
    struct buf got = BUF_EMPTY;
    for (int round = 0; round < ROUNDS; round++) {
        arena_reset(&arena);
        struct row rows[ROWS_MAX];
        enum row_kind kind = (enum row_kind)random_below(ROW_MERGED_KINDS);
        uint32_t count = 1 + random_below(ROWS_MAX);
        for (uint32_t i = 0; i < count; i++) {
            rows[i] = make_row(kind);
        }
        struct merged first = fold(rows, count, &arena);
        buf_reset(&wanted);
        print_merged(&first, &arena, &wanted);
        for (int again = 0; again < 3; again++) {
            shuffle(rows, count);
            uint32_t split = 1 + random_below(count);
            struct merged left = fold(rows, split, &arena);
            /* The second half overlaps with the first: some rows come twice. */
            struct merged right = fold(rows + split / 2, count - split / 2, &arena);
            merge_add(&left, &right, &arena);
            buf_reset(&got);
            print_merged(&left, &arena, &got);
            assert_string_equal(got.data, wanted.data);
            assert_int_equal(merge_add(&left, &right, &arena), 0);
        }
    }
    buf_finish(&wanted);
    buf_finish(&got);
    arena_finish(&arena);
}

static struct row trace_row(int64_t version)
{
    struct row row = {.kind = ROW_TRACE, .version = version};
    row_set_slice(&row, TRACE_ID, SLICE_LITERAL("t"));
    return row;
}

static void absent_columns_keep_what_is_there(void **state)
{
    struct arena arena = ARENA_EMPTY;
    struct row first = trace_row(version_event(10));
    row_set_slice(&first, TRACE_NAME, SLICE_LITERAL("name"));
    struct row second = trace_row(version_event(20));
    row_set_slice(&second, TRACE_USER_ID, SLICE_LITERAL("user"));
    struct merged merged = begin(&first, &arena);
    struct merged more = begin(&second, &arena);
    assert_int_equal(merge_add(&merged, &more, &arena), 1 << TRACE_USER_ID);
    assert_true(slice_is(merged.values[TRACE_NAME].slice, "name"));
    assert_true(slice_is(merged.values[TRACE_USER_ID].slice, "user"));
    assert_int_equal(merged.event_version, 20);
    arena_finish(&arena);
}

static void a_made_up_timestamp_gives_way_to_a_real_one_and_not_back(void **state)
{
    struct arena arena = ARENA_EMPTY;
    struct row placeholder = trace_row(version_weak(5000));
    struct row real = trace_row(version_event(1));
    row_set_integer(&real, TRACE_TIMESTAMP, 77);
    struct merged merged = begin(&placeholder, &arena);
    assert_int_equal(merged.values[TRACE_TIMESTAMP].integer, 5000);
    assert_true(merge_is_placeholder(&merged));
    struct merged more = begin(&real, &arena);
    assert_false(merge_is_placeholder(&more));
    merge_add(&merged, &more, &arena);
    assert_int_equal(merged.values[TRACE_TIMESTAMP].integer, 77);
    more = begin(&placeholder, &arena);
    assert_int_equal(merge_add(&merged, &more, &arena), 0);
    arena_finish(&arena);
}

static void the_earliest_of_first_wins(void **state)
{
    struct arena arena = ARENA_EMPTY;
    struct row early = trace_row(version_first(10));
    row_set_slice(&early, TRACE_ENVIRONMENT, SLICE_LITERAL("early"));
    struct row late = trace_row(version_first(20));
    row_set_slice(&late, TRACE_ENVIRONMENT, SLICE_LITERAL("late"));
    struct row event = trace_row(version_event(30));
    row_set_slice(&event, TRACE_ENVIRONMENT, SLICE_LITERAL("event"));
    struct row rows[] = {event, late, early};
    struct merged merged = fold(rows, 3, &arena);
    assert_true(slice_is(merged.values[TRACE_ENVIRONMENT].slice, "early"));
    arena_finish(&arena);
}

static void a_tie_with_an_unread_value_is_left_to_sql(void **state)
{
    struct arena arena = ARENA_EMPTY;
    struct row row = trace_row(version_event(10));
    row_set_slice(&row, TRACE_INPUT, SLICE_LITERAL("\"x\""));
    row_set_slice(&row, TRACE_NAME, SLICE_LITERAL("n"));
    struct merged stored = begin(&row, &arena);
    stored.unread = 1 << TRACE_INPUT;
    stored.values[TRACE_INPUT].slice = (struct slice){NULL, 0};
    struct merged incoming = begin(&row, &arena);
    assert_int_equal(merge_add(&stored, &incoming, &arena), 1 << TRACE_INPUT);
    assert_int_equal(stored.ties, 1 << TRACE_INPUT);
    assert_true(slice_is(stored.values[TRACE_INPUT].slice, "\"x\""));
    arena_finish(&arena);
}

static void versions_pack_by_version_and_come_back(void **state)
{
    struct arena arena = ARENA_EMPTY;
    struct row first = trace_row(version_event(10));
    row_set_slice(&first, TRACE_NAME, SLICE_LITERAL("n"));
    row_set_slice(&first, TRACE_RELEASE, SLICE_LITERAL("r"));
    struct row second = trace_row(version_event(20));
    row_set_slice(&second, TRACE_USER_ID, SLICE_LITERAL("u"));
    struct row rows[] = {first, second};
    struct merged merged = fold(rows, 2, &arena);
    int64_t pairs[2 * ROW_COLUMNS_MAX];
    assert_int_equal(merge_pack_versions(&merged, &arena, pairs), 4);
    assert_int_equal(pairs[0], 10);
    assert_int_equal(pairs[1], 1 << TRACE_NAME | 1 << TRACE_RELEASE);
    assert_int_equal(pairs[2], version_weak(5000));
    assert_int_equal(pairs[3], 1 << TRACE_TIMESTAMP);

    struct merged stored = merged;
    merge_unpack_versions(&stored, pairs, 4);
    assert_int_equal(stored.versions[TRACE_NAME], 10);
    assert_int_equal(stored.versions[TRACE_USER_ID], 20);
    assert_int_equal(stored.versions[TRACE_TIMESTAMP], version_weak(5000));
    arena_finish(&arena);
}

static void one_version_packs_to_nothing(void **state)
{
    struct arena arena = ARENA_EMPTY;
    struct row row = trace_row(version_event(10));
    row_set_integer(&row, TRACE_TIMESTAMP, 1);
    row_set_slice(&row, TRACE_METADATA, SLICE_LITERAL("{\"a\":1}"));
    struct merged merged = begin(&row, &arena);
    int64_t pairs[2 * ROW_COLUMNS_MAX];
    assert_int_equal(merge_pack_versions(&merged, &arena, pairs), 0);
    arena_finish(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absent_columns_keep_what_is_there),
        cmocka_unit_test(a_made_up_timestamp_gives_way_to_a_real_one_and_not_back),
        cmocka_unit_test(the_earliest_of_first_wins),
        cmocka_unit_test(a_tie_with_an_unread_value_is_left_to_sql),
        cmocka_unit_test(versions_pack_by_version_and_come_back),
        cmocka_unit_test(one_version_packs_to_nothing),
        cmocka_unit_test(any_order_split_and_repetition_end_in_the_same_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
