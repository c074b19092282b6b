/* Delivery over real ZeroMQ sockets, with this test playing the writer, and over a real h2o loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <h2o.h>
#include <zmq.h>

#include "common/arena.h"
#include "common/clock.h"
#include "gateway/books.h"
#include "gateway/deliver.h"
#include "proto/queue.h"

enum { WAIT_MS = 5000 };

/* A gateway with two ports on one loop, and a writer's two sockets. */
struct fixture {
    char folder[64];
    char queue[128];
    h2o_globalconf_t globalconf;
    h2o_evloop_t *loop;
    h2o_context_t context;
    struct deliver *deliver;
    struct deliver_port *ports[2];
    void *zmq;
    void *batches;
    void *receipts;
    struct books books;
};

struct waiter {
    int calls;
    enum err err;
    uint32_t refused_count;
    char reason[64];
};

static void on_delivered(void *memory, enum err err, const struct receipt *receipt)
{
    struct waiter *waiter = memory;
    waiter->calls++;
    waiter->err = err;
    assert_true((receipt != NULL) == (err == ERR_OK));
    if (receipt != NULL) {
        waiter->refused_count = receipt->refused_count;
        if (receipt->refused_count > 0) {
            snprintf(waiter->reason, sizeof(waiter->reason), "%.*s",
                     (int)receipt->refused[0].reason.len, receipt->refused[0].reason.data);
        }
    }
}

static void writer_connect(struct fixture *f)
{
    struct queue_endpoints endpoints;
    assert_int_equal(queue_parse(f->queue, &endpoints, NULL), ERR_OK);
    int timeout_ms = WAIT_MS;
    int none = 0;
    f->batches = zmq_socket(f->zmq, ZMQ_PULL);
    f->receipts = zmq_socket(f->zmq, ZMQ_PUSH);
    zmq_setsockopt(f->batches, ZMQ_RCVTIMEO, &timeout_ms, sizeof(timeout_ms));
    zmq_setsockopt(f->batches, ZMQ_LINGER, &none, sizeof(none));
    zmq_setsockopt(f->receipts, ZMQ_LINGER, &timeout_ms, sizeof(timeout_ms));
    assert_int_equal(zmq_connect(f->batches, endpoints.batches), 0);
    assert_int_equal(zmq_connect(f->receipts, endpoints.receipts), 0);
}

static void writer_disconnect(struct fixture *f)
{
    if (f->batches != NULL) {
        zmq_close(f->batches);
        zmq_close(f->receipts);
        f->batches = f->receipts = NULL;
    }
}

static void open_gateway(struct fixture *f, uint32_t ack_timeout_ms, uint32_t deadline_ms,
                         size_t budget)
{
    struct deliver_options options = {f->queue, ack_timeout_ms, deadline_ms, budget, &f->books};
    struct error error = {""};
    if (deliver_open(&f->deliver, &options, &error) != ERR_OK) {
        fail_msg("%s", error.text);
    }
    for (int i = 0; i < 2; i++) {
        f->ports[i] = deliver_port_open(f->deliver, &f->context);
    }
}

static void close_ports(struct fixture *f)
{
    for (int i = 0; i < 2; i++) {
        deliver_port_close(f->ports[i]);
        f->ports[i] = NULL;
    }
}

static int setup(void **state)
{
    struct fixture *f = memory_zalloc(sizeof(*f));
    strcpy(f->folder, "/tmp/xtrace-test-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->queue, sizeof(f->queue), "ipc://%s/run/queue", f->folder);
    h2o_config_init(&f->globalconf);
    h2o_config_register_host(&f->globalconf, h2o_iovec_init(H2O_STRLIT("default")), 65535);
    f->loop = h2o_evloop_create();
    h2o_context_init(&f->context, f->loop, &f->globalconf);
    f->zmq = zmq_ctx_new();
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    close_ports(f);
    deliver_close(f->deliver);
    writer_disconnect(f);
    zmq_ctx_term(f->zmq);
    h2o_evloop_run(f->loop, 0);
    h2o_multithread_queue_t *queue = f->context.queue;
    h2o_context_dispose(&f->context);
    free(queue);
    h2o_evloop_destroy(f->loop);
    h2o_config_dispose(&f->globalconf);
    char command[128];
    snprintf(command, sizeof(command), "rm -rf %s", f->folder);
    assert_int_equal(system(command), 0);
    free(f);
    return 0;
}

static enum err send_batch(struct fixture *f, int port, uint8_t number, size_t size,
                           struct waiter *waiter)
{
    struct delivery delivery = {
        .header = malloc(1), .header_len = 1, .body = malloc(size), .body_len = size};
    memset(delivery.id, number, sizeof(delivery.id));
    delivery.header[0] = (char)number;
    memset(delivery.body, number, size);
    enum err err = deliver_send(f->ports[port], &delivery, on_delivered, waiter);
    if (err != ERR_OK) {
        free(delivery.header);
        free(delivery.body);
    }
    return err;
}

/* The number of the batch that came, or -1 after timeout_ms. */
static int receive_batch(struct fixture *f, int timeout_ms)
{
    uint8_t number;
    zmq_setsockopt(f->batches, ZMQ_RCVTIMEO, &timeout_ms, sizeof(timeout_ms));
    if (zmq_recv(f->batches, &number, 1, 0) != 1) {
        return -1;
    }
    zmq_msg_t body;
    zmq_msg_init(&body);
    assert_true(zmq_msg_recv(&body, f->batches, 0) > 0);
    assert_int_equal(*(uint8_t *)zmq_msg_data(&body), number);
    assert_int_equal(zmq_msg_more(&body), 0);
    zmq_msg_close(&body);
    return number;
}

static void send_receipt(struct fixture *f, const struct receipt *receipt)
{
    struct buf frame = BUF_EMPTY;
    receipt_pack(&frame, receipt);
    assert_true(zmq_send(f->receipts, frame.data, frame.len, 0) >= 0);
    buf_finish(&frame);
}

static void acknowledge(struct fixture *f, int number)
{
    struct receipt receipt = {.type = RECEIPT_BATCH, .outcome = RECEIPT_STORED};
    memset(receipt.id, number, sizeof(receipt.id));
    send_receipt(f, &receipt);
}

static void greet(struct fixture *f, uint8_t writer, bool database)
{
    struct receipt hello = {.type = RECEIPT_HELLO, .database_reachable = database};
    memset(hello.id, writer, sizeof(hello.id));
    send_receipt(f, &hello);
}

static void run_until_called(struct fixture *f, const struct waiter *waiter)
{
    int64_t give_up_ms = clock_monotonic_ms() + WAIT_MS;
    while (waiter->calls == 0 && clock_monotonic_ms() < give_up_ms) {
        h2o_evloop_run(f->loop, 10);
    }
    assert_int_equal(waiter->calls, 1);
}

static void a_receipt_reaches_the_waiter_of_its_port(void **state)
{
    struct fixture *f = *state;
    open_gateway(f, 1000, WAIT_MS, 1 << 20);
    writer_connect(f);
    struct waiter a = {0};
    struct waiter b = {0};
    assert_int_equal(send_batch(f, 0, 1, 100, &a), ERR_OK);
    assert_int_equal(send_batch(f, 1, 2, 100, &b), ERR_OK);
    assert_int_equal(a.calls, 0);
    assert_int_equal(deliver_in_flight_count(f->deliver), 2);
    assert_int_equal(deliver_in_flight_bytes(f->deliver), 2 * (101 + DELIVER_OVERHEAD_BYTES));
    assert_int_equal(receive_batch(f, WAIT_MS), 1);
    assert_int_equal(receive_batch(f, WAIT_MS), 2);
    acknowledge(f, 2);
    run_until_called(f, &b);
    assert_int_equal(b.err, ERR_OK);
    assert_int_equal(a.calls, 0);
    acknowledge(f, 1);
    run_until_called(f, &a);
    assert_int_equal(a.err, ERR_OK);
    assert_int_equal(deliver_in_flight_count(f->deliver), 0);
    assert_int_equal(deliver_in_flight_bytes(f->deliver), 0);
}

static void refusals_arrive_with_their_reasons(void **state)
{
    struct fixture *f = *state;
    open_gateway(f, 1000, WAIT_MS, 1 << 20);
    writer_connect(f);
    struct waiter waiter = {0};
    assert_int_equal(send_batch(f, 0, 1, 100, &waiter), ERR_OK);
    assert_int_equal(receive_batch(f, WAIT_MS), 1);
    struct receipt_refusal refused[2] = {{3, SLICE_LITERAL("too odd")}, {4, SLICE_LITERAL("x")}};
    struct receipt receipt = {.type = RECEIPT_BATCH, .refused = refused, .refused_count = 2};
    memset(receipt.id, 1, sizeof(receipt.id));
    send_receipt(f, &receipt);
    run_until_called(f, &waiter);
    assert_int_equal(waiter.refused_count, 2);
    assert_string_equal(waiter.reason, "too odd");
}

static void without_a_receipt_it_is_sent_again_and_answered_once(void **state)
{
    struct fixture *f = *state;
    open_gateway(f, 50, WAIT_MS, 1 << 20);
    writer_connect(f);
    struct waiter waiter = {0};
    assert_int_equal(send_batch(f, 0, 7, 100, &waiter), ERR_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(receive_batch(f, WAIT_MS), 7);
    }
    acknowledge(f, 7);
    acknowledge(f, 7);
    run_until_called(f, &waiter);
    assert_int_equal(waiter.err, ERR_OK);
    h2o_evloop_run(f->loop, 100);
    assert_int_equal(waiter.calls, 1);
    assert_true(metric_get(&f->books.redelivered) >= 2);
    assert_int_equal(metric_count(&f->books.receipt_time), 1);
    assert_int_equal(deliver_oldest_age_ms(f->deliver), 0);
}

static void a_batch_waits_for_the_first_writer(void **state)
{
    struct fixture *f = *state;
    open_gateway(f, 60000, WAIT_MS, 1 << 20);
    struct waiter waiter = {0};
    assert_int_equal(send_batch(f, 0, 1, 100, &waiter), ERR_OK);
    h2o_evloop_run(f->loop, 50);
    assert_true(deliver_oldest_age_ms(f->deliver) > 0);
    writer_connect(f);
    assert_int_equal(receive_batch(f, WAIT_MS), 1);
    acknowledge(f, 1);
    run_until_called(f, &waiter);
    assert_int_equal(waiter.err, ERR_OK);
}

static void a_new_writer_gets_what_the_dead_one_had(void **state)
{
    struct fixture *f = *state;
    open_gateway(f, 60000, WAIT_MS, 1 << 20);
    writer_connect(f);
    greet(f, 1, true);
    struct waiter waiter = {0};
    assert_int_equal(send_batch(f, 0, 9, 100, &waiter), ERR_OK);
    assert_int_equal(receive_batch(f, WAIT_MS), 9);
    writer_disconnect(f);
    h2o_evloop_run(f->loop, 150); /* it must not count as fresh any more */
    writer_connect(f);
    greet(f, 2, true);
    assert_int_equal(receive_batch(f, WAIT_MS), 9);
    greet(f, 2, true);
    assert_int_equal(receive_batch(f, 200), -1);
    acknowledge(f, 9);
    run_until_called(f, &waiter);
    assert_int_equal(waiter.err, ERR_OK);
}

static void at_the_deadline_the_waiter_hears_unavailable(void **state)
{
    struct fixture *f = *state;
    open_gateway(f, 50, 200, 1 << 20);
    struct waiter waiter = {0};
    int64_t started_ms = clock_monotonic_ms();
    assert_int_equal(send_batch(f, 0, 1, 100, &waiter), ERR_OK);
    run_until_called(f, &waiter);
    assert_int_equal(waiter.err, ERR_UNAVAILABLE);
    assert_in_range(clock_monotonic_ms() - started_ms, 195, 2000);
    assert_int_equal(deliver_in_flight_count(f->deliver), 0);
    assert_int_equal(deliver_in_flight_bytes(f->deliver), 0);
    writer_connect(f);
    assert_int_equal(receive_batch(f, 200), -1); /* forgotten */
}

static void beyond_the_budget_it_is_busy(void **state)
{
    struct fixture *f = *state;
    open_gateway(f, 60000, WAIT_MS, 1000 + 2 * (DELIVER_OVERHEAD_BYTES + 1 /* header */));
    struct waiter a = {0};
    struct waiter b = {0};
    struct waiter c = {0};
    assert_int_equal(send_batch(f, 0, 1, 600, &a), ERR_OK);
    assert_int_equal(send_batch(f, 1, 2, 401, &b), ERR_BUSY);
    assert_int_equal(send_batch(f, 1, 3, 400, &b), ERR_OK);
    assert_int_equal(send_batch(f, 0, 4, 1, &c), ERR_BUSY);
    writer_connect(f);
    assert_int_equal(receive_batch(f, WAIT_MS), 1);
    acknowledge(f, 1);
    run_until_called(f, &a);
    assert_int_equal(send_batch(f, 0, 5, 600, &c), ERR_OK);
    close_ports(f); /* b and c are told while they exist */
    assert_int_equal(b.err, ERR_UNAVAILABLE);
    assert_int_equal(c.err, ERR_UNAVAILABLE);
}

static void little_batches_count_more_than_their_bytes(void **state)
{
    struct fixture *f = *state;
    open_gateway(f, 60000, WAIT_MS, 10 * DELIVER_OVERHEAD_BYTES);
    struct waiter waiters[10] = {{0}};
    int sent = 0;
    while (sent < 10 && send_batch(f, 0, (uint8_t)sent, 1, &waiters[sent]) == ERR_OK) {
        sent++;
    }
    assert_int_equal(sent, 9);
    close_ports(f);
}

static void one_batch_beyond_the_budget_passes_when_alone(void **state)
{
    struct fixture *f = *state;
    open_gateway(f, 60000, WAIT_MS, 1000);
    writer_connect(f);
    struct waiter waiter = {0};
    assert_int_equal(send_batch(f, 0, 1, 5000, &waiter), ERR_OK);
    assert_int_equal(receive_batch(f, WAIT_MS), 1);
    acknowledge(f, 1);
    run_until_called(f, &waiter);
}

static void garbage_on_the_receipts_socket_is_ignored(void **state)
{
    struct fixture *f = *state;
    open_gateway(f, 60000, WAIT_MS, 1 << 20);
    writer_connect(f);
    struct waiter waiter = {0};
    assert_int_equal(send_batch(f, 0, 1, 100, &waiter), ERR_OK);
    assert_int_equal(receive_batch(f, WAIT_MS), 1);
    static const char *const garbage[] = {"", "x", "\xdd\xff\xff\xff\xff", "\x94\x01\xa7receipt"};
    for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
        zmq_send(f->receipts, garbage[i], strlen(garbage[i]), ZMQ_SNDMORE);
        zmq_send(f->receipts, garbage[i], strlen(garbage[i]), 0);
    }
    acknowledge(f, 200); /* of a batch that nobody knows */
    acknowledge(f, 1);
    run_until_called(f, &waiter);
    assert_int_equal(waiter.err, ERR_OK);
}

static void a_writer_is_heard_of_while_its_database_answers(void **state)
{
    struct fixture *f = *state;
    open_gateway(f, 1000, WAIT_MS, 1 << 20);
    assert_false(deliver_has_writer(f->deliver, 5000));
    writer_connect(f);
    greet(f, 1, false);
    h2o_evloop_run(f->loop, 100);
    assert_false(deliver_has_writer(f->deliver, 5000));
    greet(f, 1, true);
    int64_t give_up_ms = clock_monotonic_ms() + WAIT_MS;
    while (!deliver_has_writer(f->deliver, 5000) && clock_monotonic_ms() < give_up_ms) {
        h2o_evloop_run(f->loop, 10);
    }
    assert_true(deliver_has_writer(f->deliver, 5000));
    h2o_evloop_run(f->loop, 50);
    assert_false(deliver_has_writer(f->deliver, 20));
}

static void closing_a_port_tells_its_waiters_and_loses_nothing(void **state)
{
    struct fixture *f = *state;
    open_gateway(f, 60000, WAIT_MS, 1 << 20);
    struct waiter a = {0};
    struct waiter b = {0};
    assert_int_equal(send_batch(f, 0, 1, 100, &a), ERR_OK);
    assert_int_equal(send_batch(f, 1, 2, 100, &b), ERR_OK);
    deliver_port_close(f->ports[0]);
    f->ports[0] = NULL;
    assert_int_equal(a.calls, 1);
    assert_int_equal(a.err, ERR_UNAVAILABLE);
    assert_int_equal(b.calls, 0);
    writer_connect(f);
    assert_int_equal(receive_batch(f, WAIT_MS), 1);
    assert_int_equal(receive_batch(f, WAIT_MS), 2);
    acknowledge(f, 1);
    acknowledge(f, 2);
    run_until_called(f, &b);
    assert_int_equal(a.calls, 1);
    assert_int_equal(deliver_in_flight_count(f->deliver), 0);
}

static void a_second_gateway_on_the_same_queue_is_refused(void **state)
{
    struct fixture *f = *state;
    open_gateway(f, 1000, WAIT_MS, 1 << 20);
    struct deliver *second;
    struct deliver_options options = {f->queue, 1000, 1000, 1000, &f->books};
    struct error error = {""};
    assert_int_equal(deliver_open(&second, &options, &error), ERR_UNAVAILABLE);
    assert_non_null(strstr(error.text, "another gateway"));
    /* The first one is unharmed. */
    writer_connect(f);
    struct waiter waiter = {0};
    assert_int_equal(send_batch(f, 0, 1, 100, &waiter), ERR_OK);
    assert_int_equal(receive_batch(f, WAIT_MS), 1);
    acknowledge(f, 1);
    run_until_called(f, &waiter);
}

static void stale_socket_files_are_replaced(void **state)
{
    struct fixture *f = *state;
    char path[160];
    snprintf(path, sizeof(path), "%s/run", f->folder);
    mkdir(path, 0700);
    snprintf(path, sizeof(path), "%s/run/queue.batches", f->folder);
    fclose(fopen(path, "w"));
    open_gateway(f, 1000, WAIT_MS, 1 << 20);
    struct stat folder;
    snprintf(path, sizeof(path), "%s/run", f->folder);
    assert_int_equal(stat(path, &folder), 0);
    assert_int_equal(folder.st_mode & 0777, 0700);
}

static void many_batches_over_a_writer_that_pauses(void **state)
{
    struct fixture *f = *state;
    open_gateway(f, 60000, 60000, 64 << 20);
    enum { COUNT = 200 };
    struct waiter waiters[COUNT] = {{0}};
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(send_batch(f, i % 2, (uint8_t)i, 100000, &waiters[i]), ERR_OK);
    }
    writer_connect(f);
    h2o_evloop_run(f->loop, 200);
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(receive_batch(f, WAIT_MS), i);
        acknowledge(f, i);
    }
    for (int i = 0; i < COUNT; i++) {
        run_until_called(f, &waiters[i]);
        assert_int_equal(waiters[i].err, ERR_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_receipt_reaches_the_waiter_of_its_port, setup, teardown),
        cmocka_unit_test_setup_teardown(refusals_arrive_with_their_reasons, setup, teardown),
        cmocka_unit_test_setup_teardown(without_a_receipt_it_is_sent_again_and_answered_once, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_batch_waits_for_the_first_writer, setup, teardown),
        cmocka_unit_test_setup_teardown(a_new_writer_gets_what_the_dead_one_had, setup, teardown),
        cmocka_unit_test_setup_teardown(at_the_deadline_the_waiter_hears_unavailable, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(beyond_the_budget_it_is_busy, setup, teardown),
        cmocka_unit_test_setup_teardown(little_batches_count_more_than_their_bytes, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(one_batch_beyond_the_budget_passes_when_alone, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(garbage_on_the_receipts_socket_is_ignored, setup, teardown),
        cmocka_unit_test_setup_teardown(a_writer_is_heard_of_while_its_database_answers, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(closing_a_port_tells_its_waiters_and_loses_nothing, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_second_gateway_on_the_same_queue_is_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(stale_socket_files_are_replaced, setup, teardown),
        cmocka_unit_test_setup_teardown(many_batches_over_a_writer_that_pauses, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
