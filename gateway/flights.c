#include "gateway/flights.h"

#include <string.h>

#include <czmq.h>

#include "common/arena.h"

/* Equal waiting times share a list, so that each list is in order of time by itself. Doubling gets
 * from 1 ms to the maximum in 12 steps. */
enum { CLASS_COUNT = 13 };

struct flights {
    zhashx_t *by_id;
    h2o_linklist_t by_deadline;
    h2o_linklist_t pending;
    h2o_linklist_t sent[CLASS_COUNT]; /* by attempts - 1 */
    int64_t wait_ms[CLASS_COUNT];
};

/* Ids are random bytes: any of them are a good hash. */
static size_t hash_id(const void *id)
{
    size_t hash;
    memcpy(&hash, id, sizeof(hash));
    return hash;
}

static int compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, ID_SIZE);
}

struct flights *flights_create(uint32_t resend_ms)
{
    struct flights *flights = memory_zalloc(sizeof(*flights));
    flights->by_id = zhashx_new();
    zhashx_set_key_hasher(flights->by_id, hash_id);
    zhashx_set_key_comparator(flights->by_id, compare_ids);
    zhashx_set_key_duplicator(flights->by_id, NULL); /* keys lie in the flights */
    zhashx_set_key_destructor(flights->by_id, NULL);
    h2o_linklist_init_anchor(&flights->by_deadline);
    h2o_linklist_init_anchor(&flights->pending);
    int64_t longest = resend_ms > FLIGHTS_RESEND_MAX_MS ? resend_ms : FLIGHTS_RESEND_MAX_MS;
    int64_t wait = resend_ms > 0 ? resend_ms : 1;
    for (int i = 0; i < CLASS_COUNT; i++) {
        h2o_linklist_init_anchor(&flights->sent[i]);
        flights->wait_ms[i] = wait;
        wait = wait * 2 < longest ? wait * 2 : longest;
    }
    return flights;
}

void flights_destroy(struct flights *flights)
{
    if (flights != NULL) {
        zhashx_destroy(&flights->by_id);
        free(flights);
    }
}

void flights_add(struct flights *flights, struct flight *flight)
{
    flight->attempts = 0;
    flight->_sent_ms = 0;
    flight->_by_deadline = (h2o_linklist_t){NULL, NULL};
    flight->_queue = (h2o_linklist_t){NULL, NULL};
    zhashx_insert(flights->by_id, flight->id, flight);
    h2o_linklist_insert(&flights->by_deadline, &flight->_by_deadline);
    h2o_linklist_insert(&flights->pending, &flight->_queue);
}

void flights_remove(struct flights *flights, struct flight *flight)
{
    zhashx_delete(flights->by_id, flight->id);
    h2o_linklist_unlink(&flight->_by_deadline);
    h2o_linklist_unlink(&flight->_queue);
}

struct flight *flights_find(struct flights *flights, const uint8_t id[ID_SIZE])
{
    return zhashx_lookup(flights->by_id, id);
}

size_t flights_count(const struct flights *flights)
{
    return zhashx_size(flights->by_id);
}

static struct flight *from_queue(h2o_linklist_t *link)
{
    return H2O_STRUCT_FROM_MEMBER(struct flight, _queue, link);
}

struct flight *flights_pending(struct flights *flights)
{
    if (h2o_linklist_is_empty(&flights->pending)) {
        return NULL;
    }
    return from_queue(flights->pending.next);
}

void flights_mark_sent(struct flights *flights, struct flight *flight, int64_t now_ms)
{
    uint32_t class = flight->attempts < CLASS_COUNT ? flight->attempts : CLASS_COUNT - 1;
    flight->attempts++;
    flight->_sent_ms = now_ms;
    h2o_linklist_unlink(&flight->_queue);
    h2o_linklist_insert(&flights->sent[class], &flight->_queue);
}

/* Moves those of one list that were sent at or before sent_ms to the end of due. */
static size_t take_sent_before(h2o_linklist_t *list, int64_t sent_ms, h2o_linklist_t *due)
{
    size_t count = 0;
    while (!h2o_linklist_is_empty(list) && from_queue(list->next)->_sent_ms <= sent_ms) {
        h2o_linklist_t *link = list->next;
        h2o_linklist_unlink(link);
        h2o_linklist_insert(due, link);
        count++;
    }
    return count;
}

size_t flights_requeue_due(struct flights *flights, int64_t now_ms)
{
    h2o_linklist_t due;
    h2o_linklist_init_anchor(&due);
    size_t count = 0;
    /* The most often sent are the oldest: they go first. */
    for (int i = CLASS_COUNT - 1; i >= 0; i--) {
        count += take_sent_before(&flights->sent[i], now_ms - flights->wait_ms[i], &due);
    }
    h2o_linklist_insert_list(flights->pending.next, &due);
    return count;
}

size_t flights_requeue_sent_before(struct flights *flights, int64_t sent_ms)
{
    h2o_linklist_t due;
    h2o_linklist_init_anchor(&due);
    size_t count = 0;
    for (int i = CLASS_COUNT - 1; i >= 0; i--) {
        count += take_sent_before(&flights->sent[i], sent_ms, &due);
    }
    h2o_linklist_insert_list(flights->pending.next, &due);
    return count;
}

struct flight *flights_oldest(struct flights *flights)
{
    if (h2o_linklist_is_empty(&flights->by_deadline)) {
        return NULL;
    }
    return H2O_STRUCT_FROM_MEMBER(struct flight, _by_deadline, flights->by_deadline.next);
}

struct flight *flights_expired(struct flights *flights, int64_t now_ms)
{
    struct flight *oldest = flights_oldest(flights);
    return oldest != NULL && oldest->deadline_ms <= now_ms ? oldest : NULL;
}

int64_t flights_wake_at(const struct flights *flights)
{
    int64_t wake_at = INT64_MAX;
    const h2o_linklist_t *first = flights->by_deadline.next;
    if (first != &flights->by_deadline) {
        wake_at = H2O_STRUCT_FROM_MEMBER(struct flight, _by_deadline, first)->deadline_ms;
    }
    for (int i = 0; i < CLASS_COUNT; i++) {
        h2o_linklist_t *sent = flights->sent[i].next;
        if (sent != &flights->sent[i]) {
            int64_t due = from_queue(sent)->_sent_ms + flights->wait_ms[i];
            wake_at = due < wake_at ? due : wake_at;
        }
    }
    return wake_at;
}
