/*
 * ingestion: what the parts of decode_ingestion share: an event of Langfuse's ingestion (contract/
 * langfuse.md section 2) on its way from the text of its body to the rows of one entity.
 *
 *   ingestion_read -> ingestion_check -> ingestion_trace | _observation | _score -> ingestion_collect
 *
 * An event's values are not all of one weight (proto/row.h), so it becomes up to four rows:
 *   said      version_event: what it says
 *   first     version_first: times and environment of a trace or observation, what a score is for: the
 *             first event that says them holds
 *   assumed   version_assumed: its own time where it does not say the time of what it tells of
 *   weak      version_weak: an input or output that is "", 0 or false, for want of anything better
 *
 * Pure; not thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "gateway/ingest/collect.h"
#include "gateway/ingest/environment.h"
#include "gateway/ingest/fields.h"

enum ingestion_band { BAND_SAID, BAND_FIRST, BAND_ASSUMED, BAND_WEAK, BAND_COUNT };

/* Members that do not go to the row as they are: asides of struct fields_row. */
enum {
    ASIDE_ENVIRONMENT,
    ASIDE_USAGE,
    ASIDE_USAGE_DETAILS,
    ASIDE_COST_DETAILS,
    ASIDE_VALUE = ASIDE_USAGE, /* of a score */
};

struct ingestion_type {
    const char *name;
    enum row_kind kind;
    const char *makes; /* the observation's type; NULL: its body says it */
    const struct fields *fields;
    bool is_update;
};

struct ingestion_event {
    const struct ingestion_type *type;
    struct slice id;    /* the event's own */
    int64_t time_us;    /* the event's own */
    int64_t version_us; /* the same, told apart from that of others of the same millisecond */
};

/* What is wrong with a body: field is the way inside of it, both static. */
struct ingestion_fault {
    const char *field;
    const char *reason;
};

/* One event at a time. */
struct ingestion {
    struct arena *arena; /* the caller's */
    struct ingestion_event event;
    struct fields_row fields_row;
    struct row bands[BAND_COUNT];
    char _environment[ENVIRONMENT_MAX];
};

/* Tables of members: ingestion_observation.c and its siblings. */
extern const struct fields ingestion_trace_fields;
extern const struct fields ingestion_event_fields;
extern const struct fields ingestion_span_fields;
extern const struct fields ingestion_generation_fields;
extern const struct fields ingestion_legacy_fields;
extern const struct fields ingestion_score_fields;

/* NULL: there is no such type. */
const struct ingestion_type *ingestion_type_find(struct slice name);

/* Reads the body that comes next; false as fields_read. A trace and a score without an id get one
 * that follows from the event's. An observation without a trace has the empty one. */
bool ingestion_read(struct ingestion *work, struct json_reader *reader);

/* Makes the rows. False: path (appended to) and reason say why there are none. */
bool ingestion_make(struct ingestion *work, struct buf *path, const char **reason);

/* Collects the rows that ingestion_make made. */
void ingestion_collect(const struct ingestion *work, struct collect *out, uint32_t record);

/* The entity's id; empty when there is none. */
struct slice ingestion_id(const struct ingestion *work);

/* ---- of ingestion_make ---- */

bool ingestion_trace(struct ingestion *work, struct ingestion_fault *fault);
bool ingestion_observation(struct ingestion *work, struct ingestion_fault *fault);
bool ingestion_score(struct ingestion *work, struct ingestion_fault *fault);
bool ingestion_usage(struct ingestion *work, struct ingestion_fault *fault);

/* Always false, for `return ingestion_wrong(...)`. */
bool ingestion_wrong(struct ingestion_fault *fault, const char *field, const char *reason);

/* Sets the column when the event names an environment of any kind. */
void ingestion_set_environment(struct ingestion *work, uint32_t column);

/* Metadata that is no object becomes the member "metadata" of one. */
void ingestion_wrap_metadata(struct ingestion *work, uint32_t column);

/* Divides the row into bands: columns of the mask are those of which the first holds. */
void ingestion_divide(struct ingestion *work, uint64_t first);

/* After ingestion_divide: moves the value to the weak band if it is "", 0 or false. */
void ingestion_weaken(struct ingestion *work, uint32_t column);
