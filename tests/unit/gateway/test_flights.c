/* The table of batches in flight: order, due times, doubling. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/flights.h"

static struct flight make_flight(uint8_t number, int64_t deadline_ms)
{
    struct flight flight = {.deadline_ms = deadline_ms};
    memset(flight.id, number, sizeof(flight.id));
    return flight;
}

static void send_next(struct flights *flights, int64_t now_ms)
{
    flights_mark_sent(flights, flights_pending(flights), now_ms);
}

static void pending_is_first_in_first_out(void **state)
{
    struct flights *flights = flights_create(1000);
    struct flight a = make_flight(1, 10000);
    struct flight b = make_flight(2, 10001);
    flights_add(flights, &a);
    flights_add(flights, &b);
    assert_ptr_equal(flights_pending(flights), &a);
    send_next(flights, 0);
    assert_ptr_equal(flights_pending(flights), &b);
    send_next(flights, 0);
    assert_null(flights_pending(flights));
    flights_destroy(flights);
}

static void a_flight_is_found_by_id_until_removed(void **state)
{
    struct flights *flights = flights_create(1000);
    struct flight a = make_flight(1, 10000);
    flights_add(flights, &a);
    assert_ptr_equal(flights_find(flights, a.id), &a);
    assert_int_equal(flights_count(flights), 1);
    flights_remove(flights, &a);
    assert_null(flights_find(flights, a.id));
    assert_null(flights_oldest(flights));
    assert_int_equal(flights_wake_at(flights), INT64_MAX);
    flights_destroy(flights);
}

static void waiting_doubles_up_to_four_seconds(void **state)
{
    struct flights *flights = flights_create(1000);
    struct flight a = make_flight(1, 1000000);
    flights_add(flights, &a);
    const int64_t waits[] = {1000, 2000, 4000, 4000, 4000};
    int64_t now_ms = 0;
    for (int i = 0; i < 5; i++) {
        send_next(flights, now_ms);
        assert_int_equal(flights_wake_at(flights), now_ms + waits[i]);
        assert_int_equal(flights_requeue_due(flights, now_ms + waits[i] - 1), 0);
        now_ms += waits[i];
        assert_int_equal(flights_requeue_due(flights, now_ms), 1);
    }
    assert_int_equal(a.attempts, 5);
    flights_destroy(flights);
}

static void what_is_due_again_goes_before_what_is_new(void **state)
{
    struct flights *flights = flights_create(1000);
    struct flight old = make_flight(1, 10000);
    struct flight older = make_flight(2, 9999);
    struct flight new = make_flight(3, 10001);
    flights_add(flights, &older);
    send_next(flights, 0);
    flights_requeue_due(flights, 1000);
    send_next(flights, 1000); /* older: sent twice, due at 3000 */
    flights_add(flights, &old);
    send_next(flights, 2000); /* due at 3000 */
    flights_add(flights, &new);
    assert_int_equal(flights_requeue_due(flights, 3000), 2);
    assert_ptr_equal(flights_pending(flights), &older);
    send_next(flights, 3000);
    assert_ptr_equal(flights_pending(flights), &old);
    send_next(flights, 3000);
    assert_ptr_equal(flights_pending(flights), &new);
    flights_destroy(flights);
}

static void a_new_writer_gets_all_but_the_freshest(void **state)
{
    struct flights *flights = flights_create(1000);
    struct flight a = make_flight(1, 10000);
    struct flight b = make_flight(2, 10000);
    flights_add(flights, &a);
    flights_add(flights, &b);
    send_next(flights, 100);
    send_next(flights, 250);
    assert_int_equal(flights_requeue_sent_before(flights, 200), 1);
    assert_ptr_equal(flights_pending(flights), &a);
    flights_destroy(flights);
}

static void the_deadline_holds_for_sent_and_unsent(void **state)
{
    struct flights *flights = flights_create(1000);
    struct flight a = make_flight(1, 500);
    struct flight b = make_flight(2, 600);
    flights_add(flights, &a);
    flights_add(flights, &b);
    send_next(flights, 0);
    assert_int_equal(flights_wake_at(flights), 500);
    assert_null(flights_expired(flights, 499));
    assert_ptr_equal(flights_expired(flights, 500), &a);
    flights_remove(flights, &a);
    assert_null(flights_expired(flights, 599));
    assert_ptr_equal(flights_expired(flights, 600), &b);
    flights_remove(flights, &b);
    flights_destroy(flights);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pending_is_first_in_first_out),
        cmocka_unit_test(a_flight_is_found_by_id_until_removed),
        cmocka_unit_test(waiting_doubles_up_to_four_seconds),
        cmocka_unit_test(what_is_due_again_goes_before_what_is_new),
        cmocka_unit_test(a_new_writer_gets_all_but_the_freshest),
        cmocka_unit_test(the_deadline_holds_for_sent_and_unsent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
