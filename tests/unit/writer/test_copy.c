/* copy: a row's bytes are what PostgreSQL's binary COPY wants. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "writer/copy.h"
#include "writer/price.h"

static const char null_field[] = "\377\377\377\377";

/* Where the nth field of the first tuple begins, at its length word. */
static const char *field_at(const struct buf *bytes, int field)
{
    const char *at = bytes->data + 2;
    for (; field > 0; field--) {
        const unsigned char *word = (const unsigned char *)at;
        uint32_t length =
            (uint32_t)word[0] << 24 | (uint32_t)word[1] << 16 | (uint32_t)word[2] << 8 | word[3];
        at += 4 + (length == UINT32_MAX ? 0 : length);
    }
    return at;
}

static void assert_field(const struct buf *bytes, int field, const char *wanted, size_t len)
{
    assert_memory_equal(field_at(bytes, field), wanted, len);
}

static struct merged make(struct row *row, struct arena *arena)
{
    struct merged merged;
    merge_begin(&merged, row, SLICE_LITERAL("p"), 0, arena);
    return merged;
}

static void the_file_has_postgresqls_header_and_trailer(void **state)
{
    struct buf bytes = BUF_EMPTY;
    copy_begin(&bytes);
    copy_end(&bytes);
    assert_int_equal(bytes.len, 21);
    assert_memory_equal(bytes.data, "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\377\377", 21);
    buf_finish(&bytes);
}

static void each_type_has_its_form(void **state)
{
    struct arena arena = ARENA_EMPTY;
    struct buf bytes = BUF_EMPTY;
    struct error error;
    struct row row = {.kind = ROW_TRACE, .version = 5};
    row_set_slice(&row, TRACE_ID, SLICE_LITERAL("t1"));
    row_set_integer(&row, TRACE_TIMESTAMP, INT64_C(946684800000001));
    row_set_integer(&row, TRACE_PUBLIC, 1);
    row_set_slice(&row, TRACE_TAGS, SLICE_LITERAL("[\"b\",\"a\"]"));
    row_set_slice(&row, TRACE_INPUT, SLICE_LITERAL("{ }"));
    row_set_slice(&row, TRACE_METADATA, SLICE_LITERAL("{\"k\":1}"));
    row_set_real(&row, TRACE_LATENCY, 0.5);
    row_set_slice(&row, TRACE_TOTAL_COST, SLICE_LITERAL("1.5"));
    struct merged merged = make(&row, &arena);
    assert_int_equal(copy_row(&bytes, &merged, &arena, &error), ERR_OK);
    assert_memory_equal(bytes.data, "\0\026", 2); /* 18 columns and 4 */
    assert_field(&bytes, 0, "\0\0\0\1p", 5);
    assert_field(&bytes, 1 + TRACE_ID, "\0\0\0\2t1", 6);
    assert_field(&bytes, 1 + TRACE_TIMESTAMP, "\0\0\0\10\0\0\0\0\0\0\0\1", 12);
    assert_field(&bytes, 1 + TRACE_NAME, null_field, 4);
    assert_field(&bytes, 1 + TRACE_PUBLIC, "\0\0\0\1\1", 5);
    assert_field(&bytes, 1 + TRACE_TAGS,
                 "\0\0\0\36\0\0\0\1\0\0\0\0\0\0\0\31\0\0\0\2\0\0\0\1\0\0\0\1b\0\0\0\1a", 34);
    assert_field(&bytes, 1 + TRACE_INPUT, "\0\0\0\3{ }", 7);
    assert_field(&bytes, 1 + TRACE_METADATA, "\0\0\0\10\1{\"k\":1}", 12);
    assert_field(&bytes, 1 + TRACE_LATENCY, "\0\0\0\10\77\340\0\0\0\0\0\0", 12);
    assert_field(&bytes, 1 + TRACE_TOTAL_COST, "\0\0\0\14\0\2\0\0\0\0\0\1\0\1\23\210", 16);
    assert_field(&bytes, 1 + TRACE_COLUMN_COUNT, "\0\0\0\10\0\0\0\0\0\0\0\5", 12);
    assert_field(&bytes, 2 + TRACE_COLUMN_COUNT, null_field, 4);
    assert_field(&bytes, 3 + TRACE_COLUMN_COUNT, null_field, 4);
    assert_ptr_equal(field_at(&bytes, 4 + TRACE_COLUMN_COUNT), bytes.data + bytes.len);
    buf_finish(&bytes);
    arena_finish(&arena);
}

static void a_set_is_sorted_and_has_each_text_once(void **state)
{
    struct arena arena = ARENA_EMPTY;
    struct buf bytes = BUF_EMPTY;
    struct error error;
    struct row row = {.kind = ROW_TRACE, .version = 5};
    row_set_slice(&row, TRACE_ID, SLICE_LITERAL("t1"));
    row_set_slice(&row, TRACE_TAGS_ADDED, SLICE_LITERAL("[\"b\",\"a\",\"b\"]"));
    struct merged merged = make(&row, &arena);
    assert_int_equal(copy_row(&bytes, &merged, &arena, &error), ERR_OK);
    assert_field(&bytes, 1 + TRACE_TAGS_ADDED,
                 "\0\0\0\36\0\0\0\1\0\0\0\0\0\0\0\31\0\0\0\2\0\0\0\1\0\0\0\1a\0\0\0\1b", 34);
    buf_finish(&bytes);
    arena_finish(&arena);
}

static void what_is_no_list_of_texts_is_refused_and_leaves_nothing(void **state)
{
    struct arena arena = ARENA_EMPTY;
    struct buf bytes = BUF_EMPTY;
    struct error error;
    struct row row = {.kind = ROW_TRACE, .version = 5};
    row_set_slice(&row, TRACE_ID, SLICE_LITERAL("t1"));
    row_set_slice(&row, TRACE_TAGS, SLICE_LITERAL("[1]"));
    struct merged merged = make(&row, &arena);
    assert_int_equal(copy_row(&bytes, &merged, &arena, &error), ERR_REFUSED);
    assert_int_equal(bytes.len, 0);
    buf_finish(&bytes);
    arena_finish(&arena);
}

static void a_change_has_its_key_the_changed_columns_and_ties(void **state)
{
    struct arena arena = ARENA_EMPTY;
    struct buf bytes = BUF_EMPTY;
    struct error error;
    struct row row = {.kind = ROW_OBSERVATION, .version = 5};
    row_set_slice(&row, OBSERVATION_TRACE_ID, SLICE_LITERAL("t"));
    row_set_slice(&row, OBSERVATION_ID, SLICE_LITERAL("o"));
    row_set_slice(&row, OBSERVATION_NAME, SLICE_LITERAL("n"));
    row_set_slice(&row, OBSERVATION_MODEL, SLICE_LITERAL("m"));
    struct merged merged = make(&row, &arena);
    merged.ties = 1 << OBSERVATION_MODEL;
    assert_int_equal(copy_change(&bytes, &merged, 1 << OBSERVATION_MODEL, &arena, &error), ERR_OK);
    assert_field(&bytes, 1 + OBSERVATION_TRACE_ID, "\0\0\0\1t", 5);
    assert_field(&bytes, 1 + OBSERVATION_ID, "\0\0\0\1o", 5);
    assert_field(&bytes, 1 + OBSERVATION_NAME, null_field, 4);
    assert_field(&bytes, 1 + OBSERVATION_MODEL, "\0\0\0\1m", 5);
    enum { TIES = 4 + OBSERVATION_COLUMN_COUNT + PRICED_COLUMN_COUNT };
    assert_field(&bytes, TIES, "\0\0\0\10\0\0\0\0\0\0\20\0", 12);
    assert_field(&bytes, TIES + 1, "\0\0\0\1\0", 5);
    assert_ptr_equal(field_at(&bytes, TIES + 2), bytes.data + bytes.len);
    buf_finish(&bytes);
    arena_finish(&arena);
}

static void a_cost_follows_the_versions(void **state)
{
    enum { COST = 4 + OBSERVATION_COLUMN_COUNT };
    struct arena arena = ARENA_EMPTY;
    struct buf bytes = BUF_EMPTY;
    struct error error;
    struct row row = {.kind = ROW_OBSERVATION, .version = 5};
    struct priced priced = {.details = SLICE_LITERAL("{\"input\":1.5}"),
                            .total = SLICE_LITERAL("1.5"),
                            .model_id = SLICE_LITERAL("m"),
                            .tier_id = SLICE_LITERAL("t"),
                            .unpriced = SLICE_LITERAL("[\"a\"]")};
    row_set_slice(&row, OBSERVATION_TRACE_ID, SLICE_LITERAL("t"));
    row_set_slice(&row, OBSERVATION_ID, SLICE_LITERAL("o"));
    struct merged merged = make(&row, &arena);
    merged.priced = &priced;
    assert_int_equal(copy_row(&bytes, &merged, &arena, &error), ERR_OK);
    assert_field(&bytes, COST, "\0\0\0\16\1{\"input\":1.5}", 18);
    assert_field(&bytes, COST + 1, "\0\0\0\14\0\2\0\0\0\0\0\1\0\1\23\210", 16);
    assert_field(&bytes, COST + 2, "\0\0\0\1m", 5);
    assert_field(&bytes, COST + 3, "\0\0\0\1t", 5);
    assert_field(&bytes, COST + 4, null_field, 4);
    assert_field(&bytes, COST + 5, "\0\0\0\31\0\0\0\1\0\0\0\0\0\0\0\31\0\0\0\1\0\0\0\1\0\0\0\1a",
                 29);
    assert_ptr_equal(field_at(&bytes, COST + PRICED_COLUMN_COUNT), bytes.data + bytes.len);
    buf_reset(&bytes);
    assert_int_equal(copy_change(&bytes, &merged, 0, &arena, &error), ERR_OK);
    assert_field(&bytes, COST + PRICED_COLUMN_COUNT + 1, "\0\0\0\1\1", 5);
    buf_finish(&bytes);
    arena_finish(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_file_has_postgresqls_header_and_trailer),
        cmocka_unit_test(each_type_has_its_form),
        cmocka_unit_test(a_set_is_sorted_and_has_each_text_once),
        cmocka_unit_test(what_is_no_list_of_texts_is_refused_and_leaves_nothing),
        cmocka_unit_test(a_change_has_its_key_the_changed_columns_and_ties),
        cmocka_unit_test(a_cost_follows_the_versions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
