/*
 * models: which price row is whose, remembered so that no observation costs a look into the table, and the
 * cost of observations by it (writer/price.h). Model names and kinds of tokens are matched by PostgreSQL, whose
 * regexes they are, once each.
 *
 * What is remembered is of one generation (migrations/0009_models.sql), which every group reads in its transaction:
 * what was committed before the group began, by whichever writer, counts. Patterns that PostgreSQL cannot match in
 * time match nothing for a minute: those of a project are nobody else's loss. Not thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/error.h"
#include "writer/matches.h"
#include "writer/merge.h"
#include "writer/price.h"
#include "writer/series.h"
#include "writer/session.h"

enum { MODELS_GENERATION_SIZE = 64 };

/* What the transaction must answer with for models_begin: text. */
#define MODELS_SQL_GENERATION                                                                      \
    "(SELECT generation::text || CASE WHEN has_conditions THEN '+' ELSE '' END FROM models_state)"

/* Columns that a cost is computed from. The second are only looked at by tiers that have conditions on them. */
#define MODELS_INPUTS                                                                              \
    (MODELS_BIT(MODEL) | MODELS_BIT(USAGE_DETAILS) | MODELS_BIT(PROMPT_TOKENS) |                   \
     MODELS_BIT(COMPLETION_TOKENS) | MODELS_BIT(TOTAL_TOKENS) | MODELS_BIT(START_TIME) |           \
     MODELS_GIVEN)
#define MODELS_DOCUMENTS (MODELS_BIT(MODEL_PARAMETERS) | MODELS_BIT(METADATA))
/* Where one of these is set, the client says what it costs. */
#define MODELS_GIVEN                                                                               \
    (MODELS_BIT(INPUT_COST) | MODELS_BIT(OUTPUT_COST) | MODELS_BIT(TOTAL_COST) |                   \
     MODELS_BIT(COST_DETAILS))
#define MODELS_BIT(suffix) (UINT64_C(1) << OBSERVATION_##suffix)

/* Names that are longer match nothing: each costs some microseconds a pattern. */
enum { MODELS_NAME_MAX = 256 };

struct models_candidates; /* the rows that match a name, in the order in which they count */

struct models {
    bool has_conditions; /* some row has a tier that looks at parameters or metadata */
    struct matches _matches;
    struct series _known; /* names, rows and kinds; an id is a place, or whether it matches */
    struct models_candidates *_candidates;
    struct price_row **_rows;
    uint32_t _candidates_count, _candidates_capacity;
    uint32_t _rows_count, _rows_capacity;
    struct arena _arena;                      /* of what is remembered */
    char _generation[MODELS_GENERATION_SIZE]; /* "" before the first */
    bool _is_stale;                           /* to be forgotten when the next group begins */
    int64_t _retry_at_ms;                     /* monotonic: a match has failed; 0: none */
    struct match_pair *_unknown;              /* kinds that a condition asked for */
    uint32_t _unknown_count, _unknown_capacity;
};

void models_init(struct models *models, struct session *session);
void models_finish(struct models *models);

/* Nothing that was known need be so. */
void models_forget(struct models *models);

/* The group's transaction has begun and has read this. Empty: nobody knows. */
void models_begin(struct models *models, struct slice generation);

/* This transaction changes the table: what it sees must not be remembered longer than it lasts. */
void models_change(struct models *models);

/*
 * Inside a transaction. Sets priced of observations whose MODELS_INPUTS (and MODELS_DOCUMENTS, if has_conditions)
 * are all read. Costs that were given leave it without any, but with the row that matches.
 */
MUST_CHECK enum err models_price(struct models *models, struct merged **observations,
                                 uint32_t count, struct arena *arena, struct error *error);
