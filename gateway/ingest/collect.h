/*
 * collect: where every decoder puts what it makes of a request: packed rows, and for the answer
 * which of the client's records each row came from and which records were refused. Rows are packed
 * one by one (a body of 100,000 observations never stands in memory as structs); what stays while
 * the request waits for its receipt is a few bytes and the id of each record. Not thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/error.h"
#include "common/slice.h"
#include "proto/row.h"

#define COLLECT_ALONE UINT32_MAX

/* Bytes; a longer id is no help to anybody, and left out. */
#define COLLECT_ID_MAX UINT16_MAX

/* Of a record that nobody can say what it was meant to be. */
#define COLLECT_NO_KIND ROW_KIND_COUNT

/* One record of the client's: an element of an array, or the only one of its place. */
struct collect_record {
    const char *place; /* static: "observations", "trace" */
    uint32_t index;    /* in place; COLLECT_ALONE: there is just one */
    uint16_t kind;     /* enum row_kind, for counting; COLLECT_NO_KIND: in no count */
    uint16_t _id_len;
    uint32_t _id_offset;
    bool refused;
};

struct capture_work; /* gateway/ingest/capture.h */

struct collect {
    struct capture_work
        *capture;    /* the caller's, until the last row is in; NULL: rows as they are */
    struct buf rows; /* body frame, proto/batch.h */
    uint32_t row_count;
    uint32_t record_count;
    uint32_t refused_count; /* of records */
    uint32_t ignored_count; /* of what is accepted and not kept; they are no records */
    uint32_t refusal_count; /* listed, at most max_refusals */
    uint32_t max_refusals;
    struct buf note; /* what a decoder leaves for its format's check and answer; often empty */

    struct buf _row_records; /* uint32_t a row: its record */
    struct buf _records;     /* struct collect_record */
    struct buf _refusals;    /* struct refusal */
    struct buf _texts;       /* ids, fields and reasons */
};

/* max_refusals bounds what is remembered in words; all are counted. */
void collect_init(struct collect *collect, uint32_t max_refusals);
void collect_finish(struct collect *collect);

/* Forgets everything so far: the records were given again. */
void collect_reset(struct collect *collect);

/* Begins a record and returns its number. place must be static; id (copied) is empty when unknown.
 */
uint32_t collect_record(struct collect *collect, const char *place, uint32_t index,
                        enum row_kind kind, struct slice id);

/* Packs what may be kept of a valid row of the record. */
void collect_row(struct collect *collect, uint32_t record, const struct row *row);

/* The record is not stored, or not whole. field is the way to the culprit inside the record, empty
 * when the record itself is meant: "startTime", "tags[3]". reason is for people, without payload.
 * Both are copied. Of one record only the first refusal is kept. */
void collect_refuse(struct collect *collect, uint32_t record, struct slice field,
                    struct slice reason);

/* The same with another reason than ERR_INVALID for the answer to tell. */
void collect_refuse_as(struct collect *collect, uint32_t record, enum err err, struct slice field,
                       struct slice reason);

/* The same for the record of a row, as a receipt names it; rows that do not exist are ignored. */
void collect_refuse_row(struct collect *collect, uint32_t row, struct slice reason);

/* Records by kind: all of them, and those that were not refused. */
void collect_count(const struct collect *collect, uint32_t all[ROW_KIND_COUNT],
                   uint32_t good[ROW_KIND_COUNT]);

/* Records of a kind that were not refused. */
uint32_t collect_count_stored(const struct collect *collect, enum row_kind kind);

/* A listed refusal; its texts are valid until the next call that changes collect. */
struct collect_refusal {
    const struct collect_record *record;
    struct slice id; /* empty when unknown */
    struct slice field;
    struct slice reason;
    enum err err;
};
struct collect_refusal collect_refusal(const struct collect *collect, uint32_t index);

/* The request was one record, not a list. */
bool collect_is_alone(const struct collect *collect);

/* Of record 0, 1, ...: the id, empty when unknown and valid until collect changes; was it refused? */
struct slice collect_record_id(const struct collect *collect, uint32_t record);
bool collect_is_refused(const struct collect *collect, uint32_t record);

/* Appends where the culprit is: "observations[3].startTime". */
void collect_refusal_path(const struct collect_refusal *refusal, struct buf *out);
