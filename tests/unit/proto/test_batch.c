/* batch: what is packed comes out again, and nothing else does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <msgpack.h>
#include <stdlib.h>

#include "common/rfc3339.h"
#include "proto/batch.h"
#include "proto/pack.h"

static struct batch_header sample_header(void)
{
    return (struct batch_header){
        .id = {1, 2, 3, [15] = 255},
        .project = SLICE_LITERAL("default"),
        .received_us = INT64_C(1772282096789000),
        .row_count = 3,
    };
}

/* Every column of a kind set, with a value of its type. */
static struct row full_row(enum row_kind kind)
{
    const struct row_table *table = &row_tables[kind];
    struct row row = {.kind = kind, .version = INT64_MIN + kind};
    for (uint32_t i = 0; i < table->column_count; i++) {
        switch (table->columns[i].type) {
        case COLUMN_TEXT:
            row_set_slice(&row, i, slice_from(table->columns[i].name));
            break;
        case COLUMN_JSON:
        case COLUMN_JSONB:
            row_set_slice(&row, i, SLICE_LITERAL("{\"a\": [1, \"\xc3\xa9\"]}"));
            break;
        case COLUMN_TEXTS:
            row_set_slice(&row, i, SLICE_LITERAL("[\"a\",\"b\"]"));
            break;
        case COLUMN_DECIMAL:
            row_set_slice(&row, i, SLICE_LITERAL("0.000123"));
            break;
        case COLUMN_TIME:
            row_set_integer(&row, i, RFC3339_MIN_US + i);
            break;
        case COLUMN_INT:
            row_set_integer(&row, i, INT64_MAX - i);
            break;
        case COLUMN_FLOAT:
            row_set_real(&row, i, -1.5e300 * i);
            break;
        case COLUMN_BOOL:
            row_set_integer(&row, i, i & 1);
            break;
        }
    }
    return row;
}

static bool is_slice_type(enum column_type type)
{
    return type == COLUMN_TEXT || type == COLUMN_JSON || type == COLUMN_JSONB ||
           type == COLUMN_TEXTS || type == COLUMN_DECIMAL;
}

static void assert_rows_equal(const struct row *a, const struct row *b)
{
    const struct row_table *table = &row_tables[a->kind];
    assert_int_equal(a->kind, b->kind);
    assert_true(a->version == b->version);
    assert_true(a->present == b->present);
    for (uint32_t i = 0; i < table->column_count; i++) {
        if (!row_has(a, i)) {
            continue;
        }
        if (is_slice_type(table->columns[i].type)) {
            assert_true(slice_equals(a->values[i].slice, b->values[i].slice));
        } else {
            assert_true(a->values[i].integer == b->values[i].integer);
        }
    }
}

/* A copy at an odd address, of exactly the body's size: ZeroMQ aligns nothing, and ASan sees any
 * read beyond the end. */
static char *unaligned_copy(const struct buf *buf)
{
    char *memory = malloc(buf->len + 1);
    assert_non_null(memory);
    memcpy(memory + 1, buf->data, buf->len);
    return memory;
}

static enum err unpack(const struct buf *body, uint32_t count, struct error *error)
{
    struct arena arena = ARENA_EMPTY;
    struct row *rows;
    char *memory = unaligned_copy(body);
    enum err err =
        batch_unpack_rows((struct slice){memory + 1, body->len}, count, &arena, &rows, error);
    arena_finish(&arena);
    free(memory);
    return err;
}

static void a_header_comes_back(void **state)
{
    struct buf buf = BUF_EMPTY;
    struct batch_header header = sample_header(), back;
    batch_pack_header(&buf, &header);
    char *memory = unaligned_copy(&buf);
    assert_int_equal(batch_unpack_header((struct slice){memory + 1, buf.len}, &back, NULL), ERR_OK);
    assert_memory_equal(back.id, header.id, ID_SIZE);
    assert_true(slice_is(back.project, "default"));
    assert_true(back.received_us == header.received_us);
    assert_int_equal(back.row_count, 3);
    assert_int_equal(back.key.len, 0);
    free(memory);
    buf_finish(&buf);
}

static void a_key_comes_back(void **state)
{
    char key[BATCH_KEY_SIZE + 1];
    struct batch_header header = sample_header(), back;
    for (size_t i = 0; i < sizeof(key); i++) {
        key[i] = (char)(i * 37);
    }
    for (size_t len = BATCH_KEY_SIZE - 1; len <= BATCH_KEY_SIZE + 1; len++) {
        struct buf buf = BUF_EMPTY;
        header.key = (struct slice){key, len};
        batch_pack_header(&buf, &header);
        enum err err = batch_unpack_header(buf_slice(&buf), &back, NULL);
        assert_int_equal(err, len == BATCH_KEY_SIZE ? ERR_OK : ERR_INVALID);
        assert_true(err != ERR_OK || slice_equals(back.key, header.key));
        buf_finish(&buf);
    }
}

static void rows_of_every_kind_come_back(void **state)
{
    struct buf body = BUF_EMPTY;
    struct arena arena = ARENA_EMPTY;
    struct row sent[ROW_KIND_COUNT], *rows;
    for (int kind = 0; kind < ROW_KIND_COUNT; kind++) {
        sent[kind] = full_row((enum row_kind)kind);
        batch_pack_row(&body, &sent[kind]);
    }
    char *memory = unaligned_copy(&body);
    struct slice slice = {memory + 1, body.len};
    assert_int_equal(batch_unpack_rows(slice, ROW_KIND_COUNT, &arena, &rows, NULL), ERR_OK);
    for (int kind = 0; kind < ROW_KIND_COUNT; kind++) {
        assert_rows_equal(&sent[kind], &rows[kind]);
    }
    assert_true(rows[0].values[TRACE_ID].slice.data > slice.data);
    assert_true(rows[0].values[TRACE_ID].slice.data < slice.data + slice.len);
    arena_finish(&arena);
    free(memory);
    buf_finish(&body);
}

static void absent_columns_stay_absent(void **state)
{
    struct buf body = BUF_EMPTY;
    struct arena arena = ARENA_EMPTY;
    struct row row = {.kind = ROW_OBSERVATION, .version = 7}, *rows;
    row_set_slice(&row, OBSERVATION_TRACE_ID, SLICE_LITERAL("t"));
    row_set_slice(&row, OBSERVATION_ID, SLICE_LITERAL(""));
    row_set_integer(&row, OBSERVATION_PROMPT_TOKENS, -1);
    batch_pack_row(&body, &row);
    assert_int_equal(batch_unpack_rows(buf_slice(&body), 1, &arena, &rows, NULL), ERR_OK);
    assert_rows_equal(&row, rows);
    arena_finish(&arena);
    buf_finish(&body);
}

static void integers_of_every_width_come_back(void **state)
{
    static const int64_t integers[] = {
        0,         1,  127, 128, 255,  256,  65535,  65536,  UINT32_MAX, INT64_C(1) << 32,
        INT64_MAX, -1, -32, -33, -128, -129, -32768, -32769, INT32_MIN,  INT64_C(-4294967296),
        INT64_MIN,
    };
    for (size_t i = 0; i < sizeof(integers) / sizeof(integers[0]); i++) {
        struct buf body = BUF_EMPTY;
        struct arena arena = ARENA_EMPTY;
        struct row row = full_row(ROW_OBSERVATION), *rows;
        row.version = integers[i];
        row_set_integer(&row, OBSERVATION_TOTAL_TOKENS, integers[i]);
        batch_pack_row(&body, &row);
        assert_int_equal(batch_unpack_rows(buf_slice(&body), 1, &arena, &rows, NULL), ERR_OK);
        assert_rows_equal(&row, rows);
        arena_finish(&arena);
        buf_finish(&body);
    }
}

static void texts_of_every_length_class_come_back(void **state)
{
    static const size_t lengths[] = {0, 31, 32, 255, 256, 65535, 65536, 1000000};
    char *text = malloc(1000000);
    assert_non_null(text);
    memset(text, 'x', 1000000);
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct buf body = BUF_EMPTY;
        struct arena arena = ARENA_EMPTY;
        struct row row = full_row(ROW_TRACE), *rows;
        row_set_slice(&row, TRACE_INPUT, (struct slice){text, lengths[i]});
        batch_pack_row(&body, &row);
        assert_int_equal(batch_unpack_rows(buf_slice(&body), 1, &arena, &rows, NULL), ERR_OK);
        assert_rows_equal(&row, rows);
        arena_finish(&arena);
        buf_finish(&body);
    }
    free(text);
}

/* Our cursor and msgpack-c read the same thing. */
static void a_body_is_msgpack(void **state)
{
    struct buf body = BUF_EMPTY;
    struct row row = full_row(ROW_SCORE);
    batch_pack_row(&body, &row);
    msgpack_unpacked unpacked;
    msgpack_unpacked_init(&unpacked);
    size_t at = 0;
    assert_int_equal(msgpack_unpack_next(&unpacked, body.data, body.len, &at),
                     MSGPACK_UNPACK_SUCCESS);
    assert_int_equal(at, body.len);
    assert_int_equal(unpacked.data.type, MSGPACK_OBJECT_ARRAY);
    assert_int_equal(unpacked.data.via.array.size, 2 + SCORE_COLUMN_COUNT);
    assert_int_equal(unpacked.data.via.array.ptr[0].via.u64, ROW_SCORE);
    msgpack_unpacked_destroy(&unpacked);
    buf_finish(&body);
}

static void a_body_cut_anywhere_is_refused(void **state)
{
    struct buf body = BUF_EMPTY;
    struct error error;
    for (int kind = 0; kind < ROW_KIND_COUNT; kind++) {
        struct row row = full_row((enum row_kind)kind);
        batch_pack_row(&body, &row);
    }
    for (size_t len = 0; len < body.len; len++) {
        struct buf cut = {body.data, len, len};
        assert_int_equal(unpack(&cut, ROW_KIND_COUNT, &error), ERR_INVALID);
    }
    assert_int_equal(unpack(&body, ROW_KIND_COUNT, &error), ERR_OK);
    assert_int_equal(unpack(&body, ROW_KIND_COUNT - 1, &error), ERR_INVALID);
    assert_int_equal(unpack(&body, ROW_KIND_COUNT + 1, &error), ERR_INVALID);
    buf_finish(&body);
}

static void no_damaged_byte_does_harm(void **state)
{
    struct buf body = BUF_EMPTY;
    struct row row = full_row(ROW_OBSERVATION);
    batch_pack_row(&body, &row);
    for (size_t i = 0; i < body.len; i++) {
        char saved = body.data[i];
        for (int value = 0; value < 256; value++) {
            body.data[i] = (char)value;
            (void)!unpack(&body, 1, NULL);
        }
        body.data[i] = saved;
    }
    buf_finish(&body);
}

/* A row of nils, to be filled wrongly: count elements, kind, version, then column values. */
static void pack_row_start(struct buf *body, size_t elements, int64_t kind)
{
    msgpack_packer packer;
    packer_init(&packer, body);
    msgpack_pack_array(&packer, elements);
    msgpack_pack_int64(&packer, kind);
    msgpack_pack_int64(&packer, 1);
}

static void append_nils(struct buf *body, size_t count)
{
    msgpack_packer packer;
    packer_init(&packer, body);
    for (size_t i = 0; i < count; i++) {
        msgpack_pack_nil(&packer);
    }
}

static void assert_body_refused(struct buf *body, uint32_t count, const char *words)
{
    struct error error;
    assert_int_equal(unpack(body, count, &error), ERR_INVALID);
    assert_string_equal(error.text, words);
    buf_finish(body);
}

static void a_row_without_its_key_is_refused(void **state)
{
    struct buf body = BUF_EMPTY;
    pack_row_start(&body, 2 + TRACE_COLUMN_COUNT, ROW_TRACE);
    append_nils(&body, TRACE_COLUMN_COUNT);
    assert_body_refused(&body, 1, "row 0: a key column of traces is absent");

    struct row row = full_row(ROW_OBSERVATION);
    row_clear(&row, OBSERVATION_ID);
    batch_pack_row(&body, &row);
    assert_body_refused(&body, 1, "row 0: a key column of observations is absent");

    row = full_row(ROW_METRIC);
    row_clear(&row, METRIC_VALUE);
    batch_pack_row(&body, &row);
    assert_body_refused(&body, 1, "row 0: a key column of metric_points is absent");
}

static void another_shape_is_refused(void **state)
{
    struct buf body = BUF_EMPTY;
    pack_row_start(&body, 2 + TRACE_COLUMN_COUNT, ROW_KIND_COUNT);
    append_nils(&body, TRACE_COLUMN_COUNT);
    assert_body_refused(&body, 1, "row 0: unknown kind 6");
    pack_row_start(&body, 2 + TRACE_COLUMN_COUNT, -1);
    append_nils(&body, TRACE_COLUMN_COUNT);
    assert_body_refused(&body, 1, "row 0: unknown kind -1");
    pack_row_start(&body, 2 + SCORE_COLUMN_COUNT, ROW_TRACE);
    append_nils(&body, SCORE_COLUMN_COUNT + 10);
    assert_body_refused(&body, 1, "row 0: 16 columns for traces, not 18");
    append_nils(&body, 100);
    assert_body_refused(&body, 1, "row 0: not a row");
}

static void a_value_of_another_type_is_refused(void **state)
{
    static const struct {
        uint32_t column;
        const char *packed; /* a value that its type does not take */
        size_t len;
        const char *words;
    } cases[] = {
        {TRACE_ID, "\x01", 1, "row 0: malformed traces.id"},
        {TRACE_ID, "\xc4\x01x", 3, "row 0: malformed traces.id"},
        {TRACE_TIMESTAMP, "\xa1x", 2, "row 0: malformed traces.timestamp"},
        {TRACE_TIMESTAMP, "\xd3\x7f\xff\xff\xff\xff\xff\xff\xff", 9,
         "row 0: malformed traces.timestamp"},
        {TRACE_TIMESTAMP, "\xcf\xff\xff\xff\xff\xff\xff\xff\xff", 9,
         "row 0: malformed traces.timestamp"},
        {TRACE_PUBLIC, "\x01", 1, "row 0: malformed traces.public"},
        {TRACE_LATENCY, "\x01", 1, "row 0: malformed traces.latency"},
        {TRACE_LATENCY, "\xcb\x7f\xf8\0\0\0\0\0\0", 9, "row 0: malformed traces.latency"},
        {TRACE_LATENCY, "\xcb\x7f\xf0\0\0\0\0\0\0", 9, "row 0: malformed traces.latency"},
        {TRACE_LATENCY, "\xca\0\0\0\0", 5, "row 0: malformed traces.latency"},
        {TRACE_TOTAL_COST, "\xa1x", 2, "row 0: malformed traces.total_cost"},
        {TRACE_INPUT, "\xdb\xff\xff\xff\xff{}", 7, "row 0: malformed traces.input"},
        {TRACE_INPUT, "\xdd\xff\xff\xff\xff", 5, "row 0: malformed traces.input"},
        {TRACE_INPUT, "\x80", 1, "row 0: malformed traces.input"},
        {TRACE_INPUT, "\xc1", 1, "row 0: malformed traces.input"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf body = BUF_EMPTY;
        pack_row_start(&body, 2 + TRACE_COLUMN_COUNT, ROW_TRACE);
        for (uint32_t column = 0; column < TRACE_COLUMN_COUNT; column++) {
            if (column == cases[i].column) {
                buf_append(&body, cases[i].packed, cases[i].len);
            } else if (column == TRACE_ID) {
                buf_append(&body, "\xa1t", 2);
            } else {
                append_nils(&body, 1);
            }
        }
        assert_body_refused(&body, 1, cases[i].words);
    }
}

static void bombs_claim_no_memory(void **state)
{
    struct buf body = BUF_EMPTY;
    buf_append(&body, "\xdd\xff\xff\xff\xff\x00\x01", 7);
    append_nils(&body, 30);
    assert_body_refused(&body, 1, "row 0: 4294967293 columns for traces, not 18");

    for (int i = 0; i < 100000; i++) {
        buf_append(&body, "\x91", 1);
    }
    assert_body_refused(&body, 1, "row 0: not a row");

    append_nils(&body, 100);
    assert_body_refused(&body, BATCH_ROWS_MAX, "100 bytes are too few for 1000000 rows");
    append_nils(&body, 100);
    assert_body_refused(&body, UINT32_MAX, "100 bytes are too few for 4294967295 rows");
}

static void no_rows_need_no_body(void **state)
{
    struct arena arena = ARENA_EMPTY;
    struct row *rows;
    assert_int_equal(batch_unpack_rows((struct slice){NULL, 0}, 0, &arena, &rows, NULL), ERR_OK);
    arena_finish(&arena);
}

static void a_wrong_header_is_refused(void **state)
{
    struct buf good = BUF_EMPTY;
    struct batch_header header = sample_header(), back;
    struct error error;
    batch_pack_header(&good, &header);
    for (size_t len = 0; len < good.len; len++) {
        assert_int_equal(batch_unpack_header((struct slice){good.data, len}, &back, &error),
                         ERR_INVALID);
    }
    buf_append_char(&good, 'x');
    assert_int_equal(batch_unpack_header(buf_slice(&good), &back, &error), ERR_INVALID);
    assert_string_equal(error.text, "malformed batch header");
    good.data[1] = 9;
    assert_int_equal(batch_unpack_header(buf_slice(&good), &back, &error), ERR_INVALID);
    assert_string_equal(error.text, "a batch of wire version 9, this is version 2");
    buf_reset(&good);
    header.row_count = BATCH_ROWS_MAX + 1;
    batch_pack_header(&good, &header);
    assert_int_equal(batch_unpack_header(buf_slice(&good), &back, &error), ERR_INVALID);
    assert_string_equal(error.text, "a batch of 1000001 rows, at most 1000000");
    buf_finish(&good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_comes_back),
        cmocka_unit_test(a_key_comes_back),
        cmocka_unit_test(rows_of_every_kind_come_back),
        cmocka_unit_test(absent_columns_stay_absent),
        cmocka_unit_test(integers_of_every_width_come_back),
        cmocka_unit_test(texts_of_every_length_class_come_back),
        cmocka_unit_test(a_body_is_msgpack),
        cmocka_unit_test(a_body_cut_anywhere_is_refused),
        cmocka_unit_test(no_damaged_byte_does_harm),
        cmocka_unit_test(a_row_without_its_key_is_refused),
        cmocka_unit_test(another_shape_is_refused),
        cmocka_unit_test(a_value_of_another_type_is_refused),
        cmocka_unit_test(bombs_claim_no_memory),
        cmocka_unit_test(no_rows_need_no_body),
        cmocka_unit_test(a_wrong_header_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
