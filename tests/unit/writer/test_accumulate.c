/* accumulate: batches in hand, each id once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "writer/accumulate.h"

static void fill(zmq_msg_t *frame, const struct buf *bytes)
{
    zmq_msg_init_size(frame, bytes->len);
    memcpy(zmq_msg_data(frame), bytes->data, bytes->len);
}

/* A batch of traces whose id is one repeated byte. */
static struct message make(uint8_t id, uint32_t rows, uint32_t gateway)
{
    struct message message = {.gateway = gateway};
    struct batch_header header = {.project = SLICE_LITERAL("p"), .row_count = rows};
    memset(header.id, id, sizeof(header.id));
    struct buf frame = BUF_EMPTY;
    batch_pack_header(&frame, &header);
    fill(&message.header, &frame);
    buf_reset(&frame);
    for (uint32_t i = 0; i < rows; i++) {
        struct row row = {.kind = ROW_TRACE, .version = i};
        row_set_slice(&row, TRACE_ID, SLICE_LITERAL("t"));
        batch_pack_row(&frame, &row);
    }
    fill(&message.body, &frame);
    buf_finish(&frame);
    return message;
}

static enum err add(struct group *group, struct group *other, uint8_t id, uint32_t rows,
                    uint32_t gateway)
{
    struct error error;
    struct message message = make(id, rows, gateway);
    return group_add(group, other, &message, &error);
}

static void batches_are_found_by_id(void **state)
{
    struct group group;
    group_init(&group);
    for (int id = 0; id < 200; id++) {
        assert_int_equal(add(&group, NULL, (uint8_t)id, 2, 0), ERR_OK);
    }
    assert_int_equal(group.count, 200);
    assert_int_equal(group.rows, 400);
    for (int id = 0; id < 200; id++) {
        uint8_t wanted[ID_SIZE];
        memset(wanted, id, sizeof(wanted));
        assert_ptr_equal(group_find(&group, wanted), group.parcels[id]);
        assert_int_equal(group.parcels[id]->rows[1].version, 1);
        assert_true(slice_is(group.parcels[id]->header.project, "p"));
    }
    group_reset(&group);
    assert_int_equal(group.count, 0);
    assert_int_equal(add(&group, NULL, 7, 1, 0), ERR_OK);
    assert_int_equal(group.count, 1);
    group_finish(&group);
}

static void a_repeated_id_is_not_taken_twice_and_both_want_the_receipt(void **state)
{
    struct group current;
    struct group next;
    group_init(&current);
    group_init(&next);
    assert_int_equal(add(&current, NULL, 1, 3, 0), ERR_OK);
    assert_int_equal(add(&next, &current, 2, 3, 0), ERR_OK);
    assert_int_equal(add(&next, &current, 1, 3, 5), ERR_OK);
    assert_int_equal(add(&next, &current, 2, 3, 6), ERR_OK);
    assert_int_equal(next.count, 1);
    assert_int_equal(next.rows, 3);
    assert_int_equal(current.parcels[0]->repeats->gateway, 5);
    assert_null(current.parcels[0]->repeats->next);
    assert_int_equal(next.parcels[0]->repeats->gateway, 6);
    group_finish(&current);
    group_finish(&next);
}

static void a_group_is_full_at_its_rows_or_bytes(void **state)
{
    struct group group;
    group_init(&group);
    struct group_limits by_rows = {.max_rows = 4, .max_bytes = 1000000};
    struct group_limits by_bytes = {.max_rows = 1000, .max_bytes = 10};
    assert_false(group_is_full(&group, &by_rows));
    assert_int_equal(add(&group, NULL, 1, 3, 0), ERR_OK);
    assert_false(group_is_full(&group, &by_rows));
    assert_true(group_is_full(&group, &by_bytes));
    assert_int_equal(add(&group, NULL, 2, 3, 0), ERR_OK);
    assert_true(group_is_full(&group, &by_rows));
    group_finish(&group);
}

static void what_cannot_be_read_is_dropped(void **state)
{
    struct error error;
    struct group group;
    group_init(&group);
    struct message message = make(1, 2, 0);
    zmq_msg_close(&message.body);
    zmq_msg_init_size(&message.body, 3);
    memset(zmq_msg_data(&message.body), 0, 3);
    assert_int_equal(group_add(&group, NULL, &message, &error), ERR_INVALID);
    message = make(1, 2, 0);
    zmq_msg_close(&message.header);
    zmq_msg_init(&message.header);
    assert_int_equal(group_add(&group, NULL, &message, &error), ERR_INVALID);
    assert_int_equal(group.count, 0);
    group_finish(&group);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_are_found_by_id),
        cmocka_unit_test(a_repeated_id_is_not_taken_twice_and_both_want_the_receipt),
        cmocka_unit_test(a_group_is_full_at_its_rows_or_bytes),
        cmocka_unit_test(what_cannot_be_read_is_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
