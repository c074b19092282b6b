/*
 * The way of a batch: deliver_send (loop) puts it into the mailbox `submitted`; the thread keeps it
 * in `flights` and sends it until its receipt or its deadline comes; then it goes into its port's
 * mailbox `completed`, and the loop tells the waiter. A port that closes first cuts its batches
 * loose: they go through all the same, and the thread frees them.
 */
#include "gateway/deliver.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <h2o.h>

#include "common/arena.h"
#include "common/clock.h"
#include "common/crash.h"
#include "common/log.h"
#include "gateway/books.h"
#include "gateway/flights.h"
#include "gateway/mailbox.h"
#include "gateway/wire.h"
#include "gateway/writers.h"

enum {
    BIND_PATIENCE_MS = 5000,
    /* A batch sent less than this before a new writer's first hello may well have gone to it. */
    FRESH_MS = 100,
    RECEIPTS_PER_TURN = 1000, /* then sending gets its turn */
    COMPLAIN_EVERY_MS = 10000,
};

struct parcel {
    struct flight flight;
    int64_t begun_us;
    char *header; /* owned */
    size_t header_len;
    struct wire_body *body;
    deliver_done done;
    void *waiter;
    struct deliver_port *port; /* NULL once the port is closed; guarded by deliver->mutex */
    h2o_linklist_t by_port;    /* only the loop's thread touches it */
    h2o_linklist_t letter;     /* submitted, later the port's completed */

    enum err outcome; /* set when completed */
    struct receipt receipt;
    struct arena arena; /* of the receipt's refusals */
};

struct deliver_port {
    struct deliver *deliver;
    h2o_socket_t *watch; /* of a dup of the mailbox's descriptor */
    struct mailbox completed;
    h2o_linklist_t parcels; /* by_port: sent from here and not yet completed */
};

struct deliver {
    struct wire *wire;
    pthread_t thread;
    struct mailbox submitted;
    pthread_mutex_t mutex; /* guards the port of every parcel */
    uint32_t deadline_ms;
    size_t max_in_flight_bytes;
    atomic_bool stopping;
    atomic_size_t bytes;
    atomic_size_t count;
    _Atomic(int64_t) writer_heard_ms; /* last hello with a reachable database */
    _Atomic(int64_t) oldest_ms;       /* when the oldest batch in flight came; INT64_MAX: none */
    struct books *books;

    /* The thread's own. */
    struct flights *flights;
    struct writers *writers;
    bool writer_present;
    struct arena arena; /* of one received frame */
    int64_t complained_ms;
};

static struct parcel *from_letter(h2o_linklist_t *letter)
{
    return H2O_STRUCT_FROM_MEMBER(struct parcel, letter, letter);
}

static struct parcel *from_flight(struct flight *flight)
{
    return H2O_STRUCT_FROM_MEMBER(struct parcel, flight, flight);
}

static void parcel_free(struct deliver *deliver, struct parcel *parcel)
{
    wire_body_release(parcel->body);
    arena_finish(&parcel->arena);
    free(parcel->header);
    free(parcel);
    atomic_fetch_sub(&deliver->count, 1);
}

/* ---- the thread: completing ---- */

/* parcel is out of flights. */
static void complete(struct deliver *deliver, struct parcel *parcel, enum err outcome)
{
    parcel->outcome = outcome;
    pthread_mutex_lock(&deliver->mutex);
    bool orphan = parcel->port == NULL;
    if (!orphan) {
        mailbox_put(&parcel->port->completed, &parcel->letter);
    }
    pthread_mutex_unlock(&deliver->mutex);
    if (orphan) {
        parcel_free(deliver, parcel);
    }
}

/* The receipt's texts lie in the frame, which does not last until the loop looks at it. */
static void keep_receipt(struct parcel *parcel, const struct receipt *receipt)
{
    parcel->receipt = *receipt;
    if (receipt->refused_count == 0) {
        parcel->receipt.refused = NULL;
        return;
    }
    struct receipt_refusal *refused =
        arena_alloc(&parcel->arena, receipt->refused_count * sizeof(*refused));
    for (uint32_t i = 0; i < receipt->refused_count; i++) {
        refused[i] = (struct receipt_refusal){
            .row = receipt->refused[i].row,
            .reason = arena_copy(&parcel->arena, receipt->refused[i].reason),
        };
    }
    parcel->receipt.refused = refused;
}

static void take_receipt(struct deliver *deliver, const struct receipt *receipt)
{
    struct flight *flight = flights_find(deliver->flights, receipt->id);
    if (flight == NULL) {
        return; /* a second receipt, or one after the deadline */
    }
    flights_remove(deliver->flights, flight);
    metric_observe_duration(&deliver->books->receipt_time,
                            clock_monotonic_us() - from_flight(flight)->begun_us);
    keep_receipt(from_flight(flight), receipt);
    complete(deliver, from_flight(flight), ERR_OK);
}

/* ---- the thread: writers ---- */

static void take_hello(struct deliver *deliver, const struct receipt *hello, int64_t now_ms)
{
    if (hello->database_reachable) {
        atomic_store(&deliver->writer_heard_ms, now_ms);
    }
    if (!writers_hear(deliver->writers, hello->id, now_ms)) {
        return;
    }
    /* It may replace one that died with batches: those should not wait for their timeouts. */
    size_t again = flights_requeue_sent_before(deliver->flights, now_ms - FRESH_MS);
    char id[HEX_TEXT_SIZE + 1];
    id_hex(hello->id, id);
    log_event(LOG_INFO, "writer connected", "writer", id, "database",
              hello->database_reachable ? "ok" : "unreachable", "sent_again",
              log_text("%zu", again), NULL);
}

static void log_writer_changes(struct deliver *deliver)
{
    bool present = deliver_has_writer(deliver, WRITERS_SILENT_MS);
    if (present != deliver->writer_present) {
        deliver->writer_present = present;
        log_event(present ? LOG_INFO : LOG_WARN,
                  present ? "writer ready" : "no writer with a reachable database", "in_flight",
                  log_text("%zu", flights_count(deliver->flights)), NULL);
    }
}

/* ---- the thread: its turns ---- */

static void complain(struct deliver *deliver, const struct error *error, int64_t now_ms)
{
    if (now_ms - deliver->complained_ms >= COMPLAIN_EVERY_MS) {
        deliver->complained_ms = now_ms;
        log_event(LOG_WARN, "ignored a frame that is no receipt", "reason", error->text, NULL);
    }
}

static void receive_all(struct deliver *deliver, int64_t now_ms)
{
    struct slice frame;
    for (int i = 0; i < RECEIPTS_PER_TURN && wire_receive(deliver->wire, &frame); i++) {
        struct receipt receipt;
        struct error error;
        if (receipt_unpack(frame, &deliver->arena, &receipt, &error) != ERR_OK) {
            complain(deliver, &error, now_ms);
        } else if (receipt.type == RECEIPT_HELLO) {
            take_hello(deliver, &receipt, now_ms);
        } else {
            take_receipt(deliver, &receipt);
        }
        arena_reset(&deliver->arena);
    }
}

static void take_submitted(struct deliver *deliver)
{
    h2o_linklist_t letters;
    h2o_linklist_init_anchor(&letters);
    mailbox_take(&deliver->submitted, &letters);
    while (!h2o_linklist_is_empty(&letters)) {
        struct parcel *parcel = from_letter(letters.next);
        h2o_linklist_unlink(&parcel->letter);
        flights_add(deliver->flights, &parcel->flight);
    }
}

static void expire(struct deliver *deliver, int64_t now_ms)
{
    size_t count = 0;
    for (struct flight *flight = flights_expired(deliver->flights, now_ms); flight != NULL;
         flight = flights_expired(deliver->flights, now_ms)) {
        flights_remove(deliver->flights, flight);
        complete(deliver, from_flight(flight), ERR_UNAVAILABLE);
        count++;
    }
    if (count > 0) {
        log_event(LOG_WARN, "no receipt before the deadline", "batches", log_text("%zu", count),
                  NULL);
    }
}

/* False: no writer can take more now. */
static bool send_pending(struct deliver *deliver, int64_t now_ms)
{
    for (struct flight *flight = flights_pending(deliver->flights); flight != NULL;
         flight = flights_pending(deliver->flights)) {
        struct parcel *parcel = from_flight(flight);
        struct slice header = {parcel->header, parcel->header_len};
        if (!wire_send(deliver->wire, header, parcel->body)) {
            return false;
        }
        crash_point("sent");
        if (flight->attempts > 0) {
            metric_add(&deliver->books->redelivered, 1);
        }
        flights_mark_sent(deliver->flights, flight, now_ms);
    }
    return true;
}

static long wait_ms(const struct deliver *deliver, int64_t now_ms)
{
    int64_t wake_at = flights_wake_at(deliver->flights);
    int64_t wait = wake_at == INT64_MAX ? WRITERS_SILENT_MS : wake_at - now_ms;
    if (wait > WRITERS_SILENT_MS / 5) {
        wait = WRITERS_SILENT_MS / 5; /* for log_writer_changes */
    }
    return wait > 0 ? (long)wait : 0;
}

static void note_oldest(struct deliver *deliver)
{
    const struct flight *oldest = flights_oldest(deliver->flights);
    atomic_store(&deliver->oldest_ms,
                 oldest != NULL ? oldest->deadline_ms - deliver->deadline_ms : INT64_MAX);
}

static void *run(void *argument)
{
    struct deliver *deliver = argument;
    bool drained = true;
    int64_t now_ms = clock_monotonic_ms();
    while (!atomic_load(&deliver->stopping)) {
        wire_wait(deliver->wire, mailbox_fd(&deliver->submitted), !drained,
                  wait_ms(deliver, now_ms));
        now_ms = clock_monotonic_ms();
        take_submitted(deliver);
        receive_all(deliver, now_ms);
        expire(deliver, now_ms);
        size_t again = flights_requeue_due(deliver->flights, now_ms);
        if (again > 0) {
            log_event(LOG_INFO, "no receipt yet, sending again", "batches", log_text("%zu", again),
                      NULL);
        }
        drained = send_pending(deliver, now_ms);
        log_writer_changes(deliver);
        note_oldest(deliver);
    }
    return NULL;
}

/* ---- the program's side ---- */

enum err deliver_open(struct deliver **out, const struct deliver_options *options,
                      struct error *error)
{
    struct wire *wire;
    enum err err = wire_open(&wire, options->queue, BIND_PATIENCE_MS, error);
    if (err != ERR_OK) {
        return err;
    }
    struct deliver *deliver = memory_zalloc(sizeof(*deliver));
    deliver->wire = wire;
    deliver->deadline_ms = options->deadline_ms;
    deliver->max_in_flight_bytes = options->max_in_flight_bytes;
    deliver->books = options->books;
    deliver->flights = flights_create(options->ack_timeout_ms);
    deliver->writers = writers_create();
    deliver->complained_ms = INT64_MIN / 2;
    atomic_init(&deliver->writer_heard_ms, INT64_MIN / 2);
    atomic_init(&deliver->oldest_ms, INT64_MAX);
    mailbox_init(&deliver->submitted);
    pthread_mutex_init(&deliver->mutex, NULL);
    int failed = pthread_create(&deliver->thread, NULL, run, deliver);
    if (failed != 0) {
        abort(); /* nothing to go on with, as with memory */
    }
    *out = deliver;
    return ERR_OK;
}

void deliver_close(struct deliver *deliver)
{
    if (deliver == NULL) {
        return;
    }
    atomic_store(&deliver->stopping, true);
    mailbox_wake(&deliver->submitted);
    pthread_join(deliver->thread, NULL);
    take_submitted(deliver);
    for (struct flight *flight = flights_oldest(deliver->flights); flight != NULL;
         flight = flights_oldest(deliver->flights)) {
        flights_remove(deliver->flights, flight);
        parcel_free(deliver, from_flight(flight));
    }
    flights_destroy(deliver->flights);
    writers_destroy(deliver->writers);
    wire_close(deliver->wire); /* lets go of the last bodies, which count in deliver->bytes */
    arena_finish(&deliver->arena);
    mailbox_finish(&deliver->submitted);
    pthread_mutex_destroy(&deliver->mutex);
    free(deliver);
}

bool deliver_has_writer(struct deliver *deliver, uint32_t max_age_ms)
{
    return clock_monotonic_ms() - atomic_load(&deliver->writer_heard_ms) <= max_age_ms;
}

size_t deliver_in_flight_bytes(struct deliver *deliver)
{
    return atomic_load(&deliver->bytes);
}

size_t deliver_in_flight_count(struct deliver *deliver)
{
    return atomic_load(&deliver->count);
}

int64_t deliver_oldest_age_ms(struct deliver *deliver)
{
    int64_t oldest_ms = atomic_load(&deliver->oldest_ms);
    int64_t age_ms = clock_monotonic_ms() - oldest_ms;
    return oldest_ms != INT64_MAX && age_ms > 0 ? age_ms : 0;
}

/* ---- a loop's side ---- */

static void on_completed(h2o_socket_t *watch, const char *failed)
{
    struct deliver_port *port = watch->data;
    h2o_linklist_t letters;
    h2o_linklist_init_anchor(&letters);
    mailbox_take(&port->completed, &letters);
    while (!h2o_linklist_is_empty(&letters)) {
        struct parcel *parcel = from_letter(letters.next);
        h2o_linklist_unlink(&parcel->letter);
        h2o_linklist_unlink(&parcel->by_port);
        parcel->done(parcel->waiter, parcel->outcome,
                     parcel->outcome == ERR_OK ? &parcel->receipt : NULL);
        parcel_free(port->deliver, parcel);
    }
}

struct deliver_port *deliver_port_open(struct deliver *deliver, struct st_h2o_context_t *context)
{
    struct deliver_port *port = memory_zalloc(sizeof(*port));
    port->deliver = deliver;
    mailbox_init(&port->completed);
    h2o_linklist_init_anchor(&port->parcels);
    /* h2o closes the descriptor it is given: it gets one of its own. */
    port->watch = h2o_evloop_socket_create(context->loop, dup(mailbox_fd(&port->completed)),
                                           H2O_SOCKET_FLAG_DONT_READ);
    port->watch->data = port;
    h2o_socket_read_start(port->watch, on_completed);
    return port;
}

struct waiting {
    deliver_done done;
    void *waiter;
};

/* Cuts loose whatever the thread still has; returns who waits for it (free it). */
static struct waiting *abandon_parcels(struct deliver_port *port, size_t *count)
{
    size_t capacity = atomic_load(&port->deliver->count);
    struct waiting *waiting = memory_alloc(capacity * sizeof(*waiting));
    *count = 0;
    pthread_mutex_lock(&port->deliver->mutex);
    while (!h2o_linklist_is_empty(&port->parcels)) {
        struct parcel *parcel = H2O_STRUCT_FROM_MEMBER(struct parcel, by_port, port->parcels.next);
        h2o_linklist_unlink(&parcel->by_port);
        waiting[(*count)++] = (struct waiting){parcel->done, parcel->waiter};
        parcel->port = NULL;
    }
    pthread_mutex_unlock(&port->deliver->mutex);
    return waiting;
}

void deliver_port_close(struct deliver_port *port)
{
    if (port == NULL) {
        return;
    }
    on_completed(port->watch, NULL);
    size_t count;
    struct waiting *waiting = abandon_parcels(port, &count);
    /* What was completed in between lies in the mailbox; its waiters hear of it as well. */
    h2o_linklist_t late;
    h2o_linklist_init_anchor(&late);
    mailbox_take(&port->completed, &late);
    while (!h2o_linklist_is_empty(&late)) {
        struct parcel *parcel = from_letter(late.next);
        h2o_linklist_unlink(&parcel->letter);
        parcel_free(port->deliver, parcel);
    }
    for (size_t i = 0; i < count; i++) {
        waiting[i].done(waiting[i].waiter, ERR_UNAVAILABLE, NULL);
    }
    free(waiting);
    h2o_socket_read_stop(port->watch);
    h2o_socket_close(port->watch);
    mailbox_finish(&port->completed);
    free(port);
}

/* Takes size off the budget. An empty gateway takes any batch: its size was bounded before. */
static bool reserve(struct deliver *deliver, size_t size)
{
    size_t held = atomic_load(&deliver->bytes);
    do {
        if (held > 0 &&
            size >
                deliver->max_in_flight_bytes -
                    (held < deliver->max_in_flight_bytes ? held : deliver->max_in_flight_bytes)) {
            return false;
        }
    } while (!atomic_compare_exchange_weak(&deliver->bytes, &held, held + size));
    return true;
}

enum err deliver_send(struct deliver_port *port, const struct delivery *delivery, deliver_done done,
                      void *waiter)
{
    struct deliver *deliver = port->deliver;
    size_t cost = delivery->header_len + delivery->body_len + DELIVER_OVERHEAD_BYTES;
    if (!reserve(deliver, cost)) {
        return ERR_BUSY;
    }
    atomic_fetch_add(&deliver->count, 1);
    struct parcel *parcel = memory_zalloc(sizeof(*parcel));
    memcpy(parcel->flight.id, delivery->id, ID_SIZE);
    parcel->begun_us = clock_monotonic_us();
    parcel->flight.deadline_ms = parcel->begun_us / 1000 + deliver->deadline_ms;
    parcel->header = delivery->header;
    parcel->header_len = delivery->header_len;
    parcel->body = wire_body_create(delivery->body, delivery->body_len, cost, &deliver->bytes);
    parcel->done = done;
    parcel->waiter = waiter;
    parcel->port = port;
    h2o_linklist_insert(&port->parcels, &parcel->by_port);
    mailbox_put(&deliver->submitted, &parcel->letter);
    return ERR_OK;
}
