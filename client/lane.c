/* lane: the list, when it is due, how a batch is cut from it. */
#include "client/lane.h"

#include <stdlib.h>
#include <string.h>

enum { BODY_FRAME = 64 /* brackets and keys around the records */ };

void xtrace_lane_init(struct xtrace_record_lane *lane, enum xtrace_lane kind)
{
    *lane = (struct xtrace_record_lane){.kind = kind};
    lane->end = &lane->first;
}

void xtrace_lane_finish(struct xtrace_record_lane *lane)
{
    while (lane->first != NULL) {
        struct xtrace_record *record = lane->first;
        lane->first = record->next;
        free(record);
    }
    xtrace_text_finish(&lane->batch.body);
}

size_t xtrace_record_charge(size_t len)
{
    /* The allocator's own share of a block is about two words. */
    return sizeof(struct xtrace_record) + len + 2 * sizeof(void *);
}

void xtrace_lane_append(struct xtrace_record_lane *lane, struct xtrace_record *record)
{
    record->next = NULL;
    *lane->end = record;
    lane->end = &record->next;
    lane->waiting++;
    lane->taken++;
    lane->bytes += record->len;
    lane->traces += record->is_trace;
}

bool xtrace_lane_is_full(const struct xtrace_record_lane *lane,
                         const struct xtrace_options *options)
{
    return lane->waiting >= options->batch_records || lane->bytes >= options->batch_bytes ||
           lane->traces > 1;
}

int64_t xtrace_lane_due_ms(const struct xtrace_record_lane *lane,
                           const struct xtrace_options *options)
{
    if (lane->batch.body.len > 0) {
        return lane->not_before_ms;
    }
    if (lane->waiting == 0) {
        return INT64_MAX;
    }
    if (lane->settled < lane->flush_to || xtrace_lane_is_full(lane, options)) {
        return lane->not_before_ms;
    }
    int64_t aged_ms = lane->first->enqueued_ms + options->batch_age_ms;
    return aged_ms > lane->not_before_ms ? aged_ms : lane->not_before_ms;
}

uint64_t xtrace_lane_plan(const struct xtrace_record_lane *lane,
                          const struct xtrace_options *options)
{
    uint64_t count = 0;
    uint64_t traces = 0;
    size_t bytes = 0;
    for (const struct xtrace_record *record = lane->first; record != NULL; record = record->next) {
        traces += record->is_trace;
        bytes += record->len;
        bool fits = count < options->batch_records && bytes <= options->batch_bytes && traces <= 1;
        if (count > 0 && !fits) {
            break;
        }
        count++;
    }
    return count;
}

/* The trace stands in front of the list of observations, wherever it came in the lane. */
static void put_trace(struct xtrace_text *body, const struct xtrace_record *first, uint64_t count)
{
    const struct xtrace_record *record = first;
    for (uint64_t i = 0; i < count; i++) {
        if (record->is_trace) {
            xtrace_text_puts(body, "\"trace\":");
            xtrace_text_append(body, record->json, record->len);
            xtrace_text_puts(body, ",");
        }
        record = i + 1 < count ? record->next : NULL;
    }
}

bool xtrace_lane_build(enum xtrace_lane kind, const struct xtrace_record *first, uint64_t count,
                       struct xtrace_text *body)
{
    size_t len = BODY_FRAME;
    const struct xtrace_record *record = first;
    for (uint64_t i = 0; i < count; i++) {
        len += record->len + 1;
        record = i + 1 < count ? record->next : NULL; /* the last one's link is not ours to read */
    }
    xtrace_text_reserve(body, len);
    xtrace_text_puts(body, "{");
    if (kind == XTRACE_LANE_RECORDS) {
        put_trace(body, first, count);
    }
    xtrace_text_puts(body, kind == XTRACE_LANE_RECORDS ? "\"observations\":[" : "\"metrics\":[");
    bool is_first = true;
    record = first;
    for (uint64_t i = 0; i < count; i++) {
        if (!record->is_trace) {
            xtrace_text_puts(body, is_first ? "" : ",");
            xtrace_text_append(body, record->json, record->len);
            is_first = false;
        }
        record = i + 1 < count ? record->next : NULL;
    }
    xtrace_text_puts(body, "]}");
    if (body->failed) {
        xtrace_text_finish(body);
        return false;
    }
    return true;
}

void xtrace_lane_detach(struct xtrace_record_lane *lane, uint64_t count, struct xtrace_text *body)
{
    struct xtrace_batch *batch = &lane->batch;
    *batch = (struct xtrace_batch){.body = *body, .records = count};
    *body = XTRACE_TEXT_EMPTY;
    xtrace_new_id(batch->idempotency_key);
    for (uint64_t i = 0; i < count; i++) {
        struct xtrace_record *record = lane->first;
        lane->first = record->next;
        lane->waiting--;
        lane->bytes -= record->len;
        lane->traces -= record->is_trace;
        batch->charged += xtrace_record_charge(record->len);
        free(record);
    }
    if (lane->first == NULL) {
        lane->end = &lane->first;
    }
}

size_t xtrace_lane_settle(struct xtrace_record_lane *lane)
{
    size_t charged = lane->batch.charged;
    lane->settled += lane->batch.records;
    xtrace_text_finish(&lane->batch.body);
    lane->batch = (struct xtrace_batch){.records = 0};
    return charged;
}
