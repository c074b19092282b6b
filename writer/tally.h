/*
 * tally: the writer's own numbers and their text for /metrics. They balance: once nothing is in hand,
 * the rows received of a kind are the sum of what was stored of them (by all effects), duplicate, dead
 * lettered and given up. The line adds; printing may be another thread's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/metrics.h"
#include "proto/row.h"
#include "writer/accumulate.h"
#include "writer/maintain.h"

/* What a row that was stored did to its table. */
enum tally_effect {
    TALLY_INSERTED,
    TALLY_CHANGED,
    TALLY_UNCHANGED, /* the table had all that already */
    TALLY_MERGED,    /* into another row of its transaction, which tells the effect */
    TALLY_EFFECT_COUNT
};

/* What became of an observation with a model whose cost was looked for. */
enum tally_price {
    TALLY_COMPUTED,
    TALLY_PARTLY,    /* some kinds that were used have no price */
    TALLY_UNUSED,    /* a row matches, but there is no cost: no usage, or none that has a price */
    TALLY_GIVEN,     /* the client said what it costs */
    TALLY_UNMATCHED, /* no row matches the model */
    TALLY_PRICE_COUNT
};

enum tally_outcome { TALLY_STORED, TALLY_DUPLICATE, TALLY_GIVEN_UP, TALLY_OUTCOME_COUNT };

/* Of one transaction: they count once it has committed. */
struct tally_effects {
    uint64_t of[ROW_KIND_COUNT][TALLY_EFFECT_COUNT];
    uint64_t priced[TALLY_PRICE_COUNT];
    uint64_t made[ROW_KIND_COUNT]; /* rows of these that no batch had: they count as received */
};

/* Zeroed at first. Fields without an underscore are added to by whoever knows. */
struct tally {
    metric_number batches_received;
    metric_number batches_repeated;  /* deliveries of a batch that was in hand */
    metric_number batches_malformed; /* dropped unread */
    metric_number batches[TALLY_OUTCOME_COUNT];
    metric_number received[ROW_KIND_COUNT];
    metric_number stored[ROW_KIND_COUNT][TALLY_EFFECT_COUNT];
    metric_number duplicate[ROW_KIND_COUNT];
    metric_number dead_lettered[ROW_KIND_COUNT];
    metric_number given_up[ROW_KIND_COUNT];
    metric_number priced[TALLY_PRICE_COUNT];
    struct metric_histogram group_rows;
    struct metric_histogram group_time;
    struct metric_histogram commit_time; /* of the COMMIT alone */
    metric_number conflicts;
    metric_number connects;
    metric_number failed_connects;
    metric_number maintain_steps[STEP_COUNT];
    metric_number maintain_us[STEP_COUNT];
    metric_number maintain_failures;
    metric_number in_hand_batches;
    metric_number in_hand_rows;
    metric_number in_hand_bytes;
    metric_number in_hand_since_us; /* monotonic, of the oldest; 0: none */

    metric_number _oldest_us;
};

/* A batch was taken in. */
void tally_receive(struct tally *tally, const struct parcel *parcel);

/* A batch has come to its end: its state is STORED, DUPLICATE or GIVEN_UP. Of a stored one only the dead
 * letters are counted here, its other rows by tally_commit. */
void tally_settle(struct tally *tally, const struct parcel *parcel);
/* A transaction has committed. */
void tally_commit(struct tally *tally, const struct tally_effects *effects);

/* A connection was made or not. */
void tally_connect(struct tally *tally, bool is_made);

/* Appends everything. A scrape_print; context: the struct tally. */
void tally_print(void *context, struct buf *out);
