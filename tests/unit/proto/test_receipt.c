/* receipt: receipts and hellos. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "proto/batch.h"
#include "proto/receipt.h"

static enum err unpack(const struct buf *frame, struct arena *arena, struct receipt *back)
{
    struct error error = {""};
    enum err err = receipt_unpack(buf_slice(frame), arena, back, &error);
    assert_int_equal(err == ERR_OK, error.text[0] == '\0');
    return err;
}

static void a_receipt_comes_back_with_its_refusals(void **state)
{
    const struct receipt_refusal refused[] = {
        {3, SLICE_LITERAL("a trigger said no")},
        {BATCH_ROWS_MAX - 1, SLICE_LITERAL("")},
    };
    const struct receipt sent = {.type = RECEIPT_BATCH,
                                 .id = {9, 8, 7},
                                 .outcome = RECEIPT_DUPLICATE,
                                 .refused = refused,
                                 .refused_count = 2};
    struct buf frame = BUF_EMPTY;
    struct arena arena = ARENA_EMPTY;
    struct receipt back;
    receipt_pack(&frame, &sent);
    assert_int_equal(unpack(&frame, &arena, &back), ERR_OK);
    assert_int_equal(back.type, RECEIPT_BATCH);
    assert_memory_equal(back.id, sent.id, ID_SIZE);
    assert_int_equal(back.outcome, RECEIPT_DUPLICATE);
    assert_int_equal(back.refused_count, 2);
    assert_int_equal(back.refused[0].row, 3);
    assert_true(slice_equals(back.refused[0].reason, refused[0].reason));
    assert_int_equal(back.refused[1].row, BATCH_ROWS_MAX - 1);
    assert_int_equal(back.refused[1].reason.len, 0);
    arena_finish(&arena);
    buf_finish(&frame);
}

static void a_hello_comes_back(void **state)
{
    for (int reachable = 0; reachable < 2; reachable++) {
        const struct receipt sent = {
            .type = RECEIPT_HELLO, .id = {[15] = 1}, .database_reachable = reachable == 1};
        struct buf frame = BUF_EMPTY;
        struct arena arena = ARENA_EMPTY;
        struct receipt back;
        receipt_pack(&frame, &sent);
        assert_int_equal(unpack(&frame, &arena, &back), ERR_OK);
        assert_int_equal(back.type, RECEIPT_HELLO);
        assert_memory_equal(back.id, sent.id, ID_SIZE);
        assert_int_equal(back.database_reachable, reachable == 1);
        assert_int_equal(back.refused_count, 0);
        buf_finish(&frame);
    }
}

/* Cut short, longer, and with each byte damaged. */
static void damage(const struct receipt *sent)
{
    struct buf frame = BUF_EMPTY;
    struct arena arena = ARENA_EMPTY;
    struct receipt back;
    receipt_pack(&frame, sent);
    for (size_t len = 0; len < frame.len; len++) {
        char *exact = malloc(len > 0 ? len : 1);
        assert_non_null(exact);
        memcpy(exact, frame.data, len);
        assert_int_equal(receipt_unpack((struct slice){exact, len}, &arena, &back, NULL),
                         ERR_INVALID);
        free(exact);
    }
    for (size_t i = 0; i < frame.len; i++) {
        char saved = frame.data[i];
        for (int value = 0; value < 256; value++) {
            frame.data[i] = (char)value;
            (void)!receipt_unpack(buf_slice(&frame), &arena, &back, NULL);
        }
        frame.data[i] = saved;
    }
    buf_append_char(&frame, '\0');
    assert_int_equal(unpack(&frame, &arena, &back), ERR_INVALID);
    arena_finish(&arena);
    buf_finish(&frame);
}

static void damaged_receipts_do_no_harm(void **state)
{
    const struct receipt_refusal refused[] = {{3, SLICE_LITERAL("no")}, {4, SLICE_LITERAL("n")}};
    damage(&(struct receipt){.type = RECEIPT_BATCH, .refused = refused, .refused_count = 2});
    damage(&(struct receipt){.type = RECEIPT_HELLO});
}

static void assert_refused(const char *bytes, size_t len, const char *words)
{
    struct arena arena = ARENA_EMPTY;
    struct receipt back;
    struct error error;
    assert_int_equal(receipt_unpack((struct slice){bytes, len}, &arena, &back, &error),
                     ERR_INVALID);
    assert_string_equal(error.text, words);
    arena_finish(&arena);
}

#define ZERO_ID                      "\xc4\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define ASSERT_REFUSED(bytes, words) assert_refused(bytes, sizeof(bytes) - 1, words)

static void hostile_receipts_are_refused(void **state)
{
    ASSERT_REFUSED("", "not a receipt");
    ASSERT_REFUSED("\x90", "not a receipt");
    ASSERT_REFUSED("\x92\x09\xa1x", "a receipt of wire version 9, this is version 2");
    ASSERT_REFUSED("\x94\x02\xa3"
                   "bye" ZERO_ID "\xc3",
                   "malformed receipt");
    ASSERT_REFUSED("\x94\x02\xa5hello\xc4\x0f"
                   "123456789012345\xc3",
                   "malformed receipt");
    ASSERT_REFUSED("\x94\x02\xa5hello" ZERO_ID "\x01", "malformed receipt");
    ASSERT_REFUSED("\x95\x02\xa7receipt" ZERO_ID "\x02\x90", "malformed receipt");
    ASSERT_REFUSED("\x95\x02\xa7receipt" ZERO_ID "\x00\xdd\xff\xff\xff\xff", "malformed receipt");
    ASSERT_REFUSED("\x95\x02\xa7receipt" ZERO_ID "\x00\x91\x92\xff\xa0", "malformed receipt");
    ASSERT_REFUSED("\x95\x02\xa7receipt" ZERO_ID "\x00\x91\x92\xce\x00\x0f\x42\x40\xa0",
                   "malformed receipt");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_receipt_comes_back_with_its_refusals),
        cmocka_unit_test(a_hello_comes_back),
        cmocka_unit_test(damaged_receipts_do_no_harm),
        cmocka_unit_test(hostile_receipts_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
