#include "gateway/books.h"

#include <stdbool.h>
#include <stdlib.h>

#include "gateway/deliver.h"
#include "gateway/health.h"
#include "gateway/routes.h"
#include "gateway/server.h"

/* ---- the table ---- */

#define OF_PROJECT(field) METRIC_COUNTER, offsetof(struct books_project, field)
#define RECEIVED(kind, word)                                                                       \
    {"xtrace_gateway_records_received_total", "kind=\"" word "\"",                                 \
     kind == 0 ? "Records told apart in requests, good or bad." : NULL,                            \
     OF_PROJECT(received[kind])},
#define OUTCOME(kind, word, outcome, outcome_word)                                                 \
    {"xtrace_gateway_records_settled_total", "kind=\"" word "\",outcome=\"" outcome_word "\"",     \
     kind == 0 && outcome == 0                                                                     \
         ? "Where they ended: refused here, stored, duplicate (stored before), "                   \
           "dead_lettered (refused by the database), rejected (no room, 429), abandoned (no "      \
           "receipt in time, 503)."                                                                \
         : NULL,                                                                                   \
     OF_PROJECT(settled[kind][outcome])},
#define OUTCOMES(kind, word)                                                                       \
    OUTCOME(kind, word, BOOKS_REFUSED, "refused")                                                  \
    OUTCOME(kind, word, BOOKS_STORED, "stored")                                                    \
    OUTCOME(kind, word, BOOKS_DUPLICATE, "duplicate")                                              \
    OUTCOME(kind, word, BOOKS_DEAD_LETTERED, "dead_lettered")                                      \
    OUTCOME(kind, word, BOOKS_REJECTED, "rejected")                                                \
    OUTCOME(kind, word, BOOKS_ABANDONED, "abandoned")

static const struct metric project_rows[] = {ROW_KINDS(RECEIVED) ROW_KINDS(OUTCOMES){.name = NULL}};

#define OF_BOOKS(field) offsetof(struct books, field)
#define QUERIES         "xtrace_gateway_database_queries_total"
#define CONNECTS        "xtrace_gateway_database_connects_total"

static const struct metric books_rows[] = {
    {"xtrace_gateway_receipt_seconds", NULL, "From taking a batch on to its receipt.",
     METRIC_DURATIONS, OF_BOOKS(receipt_time)},
    {"xtrace_gateway_batches_redelivered_total", NULL,
     "Deliveries of batches that had been sent before.", METRIC_COUNTER, OF_BOOKS(redelivered)},
    {QUERIES, "outcome=\"done\"", "Queries for reads.", METRIC_COUNTER,
     OF_BOOKS(queries[BOOKS_QUERY_DONE])},
    {QUERIES, "outcome=\"timeout\"", NULL, METRIC_COUNTER, OF_BOOKS(queries[BOOKS_QUERY_TIMEOUT])},
    {QUERIES, "outcome=\"unavailable\"", NULL, METRIC_COUNTER,
     OF_BOOKS(queries[BOOKS_QUERY_UNAVAILABLE])},
    {QUERIES, "outcome=\"failed\"", NULL, METRIC_COUNTER, OF_BOOKS(queries[BOOKS_QUERY_FAILED])},
    {QUERIES, "outcome=\"cancelled\"", NULL, METRIC_COUNTER,
     OF_BOOKS(queries[BOOKS_QUERY_CANCELLED])},
    {QUERIES, "outcome=\"busy\"", NULL, METRIC_COUNTER, OF_BOOKS(queries[BOOKS_QUERY_BUSY])},
    {CONNECTS, "outcome=\"done\"", "Connections to the database, made or tried.", METRIC_COUNTER,
     OF_BOOKS(connects)},
    {CONNECTS, "outcome=\"failed\"", NULL, METRIC_COUNTER, OF_BOOKS(failed_connects)},
    {.name = NULL},
};

/* What is so at the moment. */
struct now {
    metric_number in_flight_bytes;
    metric_number in_flight_bytes_max;
    metric_number in_flight_batches;
    metric_number oldest_us;
    metric_number input_bytes;
    metric_number connections;
    metric_number writer_ready;
};

#define OF_NOW(field) offsetof(struct now, field)

static const struct metric now_rows[] = {
    {"xtrace_gateway_in_flight_bytes", NULL, "Batches without a receipt.", METRIC_GAUGE,
     OF_NOW(in_flight_bytes)},
    {"xtrace_gateway_in_flight_bytes_max", NULL, "Their budget (XTRACE_MAX_IN_FLIGHT_BYTES).",
     METRIC_GAUGE, OF_NOW(in_flight_bytes_max)},
    {"xtrace_gateway_in_flight_batches", NULL, "Batches without a receipt.", METRIC_GAUGE,
     OF_NOW(in_flight_batches)},
    {"xtrace_gateway_in_flight_oldest_seconds", NULL,
     "Age of the oldest of them; 0: there is none.", METRIC_SECONDS, OF_NOW(oldest_us)},
    {"xtrace_gateway_input_bytes", NULL, "Requests that are being read.", METRIC_GAUGE,
     OF_NOW(input_bytes)},
    {"xtrace_gateway_connections", NULL, "Open connections of clients.", METRIC_GAUGE,
     OF_NOW(connections)},
    {"xtrace_gateway_writer_ready", NULL, "1: a writer that reaches its database was heard of.",
     METRIC_GAUGE, OF_NOW(writer_ready)},
    {.name = NULL},
};

/* ---- create, destroy ---- */

/* Labels come from the table and from here alone: whatever clients ask for adds no series. */
static const char *route_labels(struct books *books, uint32_t index, int status)
{
    static const char *const words[BOOKS_STATUS_COUNT] = {"gone", "1xx", "2xx",
                                                          "3xx",  "4xx", "5xx"};
    bool is_known = index < books->_route_count;
    struct buf text = BUF_EMPTY;
    metrics_append_label(&text, "method", is_known ? books->_routes[index].method : "other");
    buf_append_char(&text, ',');
    metrics_append_label(&text, "route", is_known ? books->_routes[index].path : "other");
    buf_append_char(&text, ',');
    metrics_append_label(&text, "status", words[status]);
    const char *labels = arena_text(&books->_arena, buf_slice(&text));
    buf_finish(&text);
    return labels;
}

static void make_route_rows(struct books *books)
{
    uint32_t count = (books->_route_count + 1) * BOOKS_STATUS_COUNT;
    books->_by_route = memory_zalloc((books->_route_count + 1) * sizeof(*books->_by_route));
    books->_route_rows = memory_zalloc(count * sizeof(*books->_route_rows));
    for (uint32_t i = 0; i < count; i++) {
        uint32_t index = i / BOOKS_STATUS_COUNT;
        int status = (int)(i % BOOKS_STATUS_COUNT);
        books->_route_rows[i] = (struct metric){
            .name = "xtrace_gateway_request_seconds",
            .labels = route_labels(books, index, status),
            .type = METRIC_DURATIONS,
            .offset =
                (size_t)((char *)&books->_by_route[index].time[status] - (char *)books->_by_route),
        };
    }
}

struct books *books_create(const struct route *table, const char *project)
{
    struct books *books = memory_zalloc(sizeof(*books));
    books->_arena = ARENA_EMPTY;
    books->_routes = table;
    while (table[books->_route_count].method != NULL) {
        books->_route_count++;
    }
    make_route_rows(books);
    struct buf label = BUF_EMPTY;
    metrics_append_label(&label, "project", project);
    books->_project_label = arena_text(&books->_arena, buf_slice(&label));
    buf_finish(&label);
    return books;
}

void books_destroy(struct books *books)
{
    if (books != NULL) {
        free(books->_by_route);
        free(books->_route_rows);
        arena_finish(&books->_arena);
        free(books);
    }
}

/* ---- adding ---- */

static struct books_project *project_of(struct books *books, const char *project)
{
    return &books->_project;
}

static void add(metric_number *number, uint32_t more)
{
    if (more > 0) {
        metric_add(number, more);
    }
}

void books_receive(struct books *books, const char *project, const uint32_t counts[ROW_KIND_COUNT])
{
    for (int kind = 0; kind < ROW_KIND_COUNT; kind++) {
        add(&project_of(books, project)->received[kind], counts[kind]);
    }
}

void books_settle(struct books *books, const char *project, enum books_outcome outcome,
                  const uint32_t counts[ROW_KIND_COUNT])
{
    for (int kind = 0; kind < ROW_KIND_COUNT; kind++) {
        add(&project_of(books, project)->settled[kind][outcome], counts[kind]);
    }
}

void books_request(struct books *books, const struct route *route, int status, int64_t duration_us)
{
    uint32_t index = route != NULL ? (uint32_t)(route - books->_routes) : books->_route_count;
    int class = status / 100;
    if (class >= 0 && class < BOOKS_STATUS_COUNT) {
        metric_observe_duration(&books->_by_route[index].time[class], duration_us);
    }
}

void books_query(struct books *books, enum err err)
{
    enum books_query outcome = err == ERR_OK            ? BOOKS_QUERY_DONE
                               : err == ERR_TIMEOUT     ? BOOKS_QUERY_TIMEOUT
                               : err == ERR_UNAVAILABLE ? BOOKS_QUERY_UNAVAILABLE
                               : err == ERR_BUSY        ? BOOKS_QUERY_BUSY
                                                        : BOOKS_QUERY_FAILED;
    metric_add(&books->queries[outcome], 1);
}

/* ---- printing ---- */

/* A histogram for each route and status that have met: most never do. */
static void print_routes(const struct books *books, struct buf *out)
{
    uint32_t count = (books->_route_count + 1) * BOOKS_STATUS_COUNT;
    struct metric *used = memory_zalloc((count + 1) * sizeof(*used));
    uint32_t used_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct metric *row = &books->_route_rows[i];
        const void *time = (const char *)books->_by_route + row->offset;
        if (metric_count(time) > 0) {
            used[used_count++] = *row;
        }
    }
    used[0].help =
        "From a request's arrival to the end of its answer; status gone: the client left "
        "before it.";
    metrics_print(out, used, books->_by_route, NULL);
    free(used);
}

static void look_now(const struct gateway *gateway, struct now *now)
{
    struct deliver *deliver = gateway->deliver;
    metric_set(&now->in_flight_bytes, deliver_in_flight_bytes(deliver));
    metric_set(&now->in_flight_bytes_max, (uint64_t)gateway->config->max_in_flight_bytes);
    metric_set(&now->in_flight_batches, deliver_in_flight_count(deliver));
    metric_set(&now->oldest_us, (uint64_t)deliver_oldest_age_ms(deliver) * 1000);
    metric_set(&now->input_bytes, atomic_load(&gateway->gauge.bytes));
    metric_set(&now->connections, atomic_load(&gateway->gauge.connections));
    metric_set(&now->writer_ready, deliver_has_writer(deliver, HEALTH_WRITER_AGE_MS));
}

void books_print(void *context, struct buf *out)
{
    struct gateway *gateway = context;
    const struct books *books = gateway->books;
    struct now now = {0};
    look_now(gateway, &now);
    metrics_print(out, project_rows, &books->_project, books->_project_label);
    metrics_print(out, books_rows, books, NULL);
    metrics_print(out, now_rows, &now, NULL);
    print_routes(books, out);
    metrics_print_process(out);
}
