#include "gateway/books.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

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

static const struct metric received_rows[] = {ROW_KINDS(RECEIVED){.name = NULL}};
static const struct metric settled_rows[] = {ROW_KINDS(OUTCOMES){.name = NULL}};

enum { PROJECT_ROWS_MAX = ROW_KIND_COUNT * BOOKS_OUTCOME_COUNT + 1 };

#define OF_BOOKS(field) offsetof(struct books, field)
#define QUERIES         "xtrace_gateway_database_queries_total"
#define CONNECTS        "xtrace_gateway_database_connects_total"

static const struct metric books_rows[] = {
    {"xtrace_gateway_receipt_seconds", NULL, "From taking a batch on to its receipt.",
     METRIC_DURATIONS, OF_BOOKS(receipt_time)},
    {"xtrace_gateway_batches_redelivered_total", NULL,
     "Deliveries of batches that had been sent before.", METRIC_COUNTER, OF_BOOKS(redelivered)},
    {"xtrace_gateway_logs_ignored_total", NULL,
     "Log records of OTLP that were accepted and not kept: not of GenAI, or of no span.",
     METRIC_COUNTER, OF_BOOKS(logs_ignored)},
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

static struct books_project *project_of(struct books *books, const char *project);

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
    pthread_mutex_init(&books->_lock, NULL);
    senders_init(&books->senders);
    project_of(books, project);
    return books;
}

void books_destroy(struct books *books)
{
    if (books != NULL) {
        free(books->_by_route);
        free(books->_route_rows);
        arena_finish(&books->_arena);
        pthread_mutex_destroy(&books->_lock);
        senders_finish(&books->senders);
        free(books);
    }
}

/* ---- adding ---- */

static uint32_t slot_of(const char *project)
{
    uint32_t hash = 2166136261u;
    for (; *project != '\0'; project++) {
        hash = (hash ^ (uint8_t)*project) * 16777619u;
    }
    return hash % BOOKS_SLOTS;
}

/* The project's slot, or the free one where it would go. Half of them stay free. */
static _Atomic(uint32_t) *find_slot(struct books *books, const char *project)
{
    uint32_t at = slot_of(project);
    for (;; at = (at + 1) % BOOKS_SLOTS) {
        uint32_t place = atomic_load_explicit(&books->_slots[at], memory_order_acquire);
        if (place == 0 || strcmp(books->_project_names[place - 1], project) == 0) {
            return &books->_slots[at];
        }
    }
}

/* Under the lock. The slot comes last: whoever sees it sees the rest. */
static uint32_t add_project(struct books *books, const char *project)
{
    _Atomic(uint32_t) *slot = find_slot(books, project);
    uint32_t count = atomic_load(&books->_project_count);
    if (atomic_load(slot) != 0 || count == BOOKS_PROJECTS_MAX) {
        return atomic_load(slot) != 0 ? atomic_load(slot) - 1 : BOOKS_PROJECTS_MAX;
    }
    struct buf label = BUF_EMPTY;
    metrics_append_label(&label, "project", project);
    books->_project_labels[count] = arena_text(&books->_arena, buf_slice(&label));
    books->_project_names[count] = arena_text(&books->_arena, slice_from(project));
    buf_finish(&label);
    atomic_store(&books->_project_count, count + 1);
    atomic_store_explicit(slot, count + 1, memory_order_release);
    return count;
}

static struct books_project *project_of(struct books *books, const char *project)
{
    uint32_t place = atomic_load_explicit(find_slot(books, project), memory_order_acquire);
    if (place != 0) {
        return &books->_projects[place - 1];
    }
    pthread_mutex_lock(&books->_lock);
    uint32_t index = add_project(books, project);
    pthread_mutex_unlock(&books->_lock);
    return &books->_projects[index];
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

/* All projects' lines of one name stand together, below one HELP. */
static void print_projects(const struct books *books, const struct metric *rows, struct buf *out)
{
    struct metric silent[PROJECT_ROWS_MAX];
    uint32_t count = atomic_load(&books->_project_count);
    bool is_full = count == BOOKS_PROJECTS_MAX;
    for (size_t i = 0; i == 0 || silent[i - 1].name != NULL; i++) {
        silent[i] = rows[i];
        silent[i].help = NULL;
    }
    for (uint32_t i = 0; i < count; i++) {
        metrics_print(out, i == 0 ? rows : silent, &books->_projects[i], books->_project_labels[i]);
    }
    if (is_full) {
        metrics_print(out, silent, &books->_projects[BOOKS_PROJECTS_MAX], "project=\"\"");
    }
}

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
    print_projects(books, received_rows, out);
    print_projects(books, settled_rows, out);
    metrics_print(out, books_rows, books, NULL);
    metrics_print(out, now_rows, &now, NULL);
    print_routes(books, out);
    senders_print(&books->senders, out);
    metrics_print_process(out);
}
