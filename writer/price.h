/*
 * price: from a price row, the kinds of tokens used and what its tiers look at to a cost (contract/langfuse.md section
 * 4.7). The one place that knows how; pure, memory is the caller's arena's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/money.h"
#include "common/slice.h"
#include "writer/json_tree.h"

/* X(column of observations that a cost goes to), in the order of the COPY. */
#define PRICED_COLUMNS(X)                                                                          \
    X("computed_cost_details")                                                                     \
    X("computed_total_cost")                                                                       \
    X("priced_model_id")                                                                           \
    X("pricing_tier_id")                                                                           \
    X("pricing_tier_name")                                                                         \
    X("unpriced_usage")
enum { PRICED_COLUMN_COUNT = 6 };

/* What it costs, and by which row and tier. Empty slices are SQL null. */
struct priced {
    struct slice details; /* JSON: a cost for each kind that has a price, and the total */
    struct slice total;   /* JSON number */
    struct slice model_id;
    struct slice tier_id;
    struct slice tier_name;
    struct slice unpriced; /* JSON array of the kinds that were used and have no price */
};

/* ---- price rows ---- */

enum price_source { PRICE_USAGE, PRICE_MODEL_PARAMETERS, PRICE_METADATA };
enum price_operator { PRICE_GT, PRICE_GTE, PRICE_LT, PRICE_LTE, PRICE_EQ, PRICE_NEQ };

struct price_condition {
    enum price_source source;
    struct slice key; /* of usage: a PostgreSQL regex */
    bool case_sensitive;
    enum price_operator operator;
    struct slice value;             /* of usage: JSON number */
    const struct json_tree *values; /* of the others: an array; NULL: none */
};

struct price_of_kind {
    struct slice kind;
    struct money price;
};

struct price_tier {
    struct slice id;
    struct slice name;
    const struct price_condition *conditions; /* none: the default */
    uint32_t condition_count;
    const struct price_of_kind *prices; /* sorted by json_tree_key_compare */
    uint32_t price_count;
};

struct price_row {
    struct slice id;
    int64_t start_us;                /* from when on; INT64_MIN: always */
    const struct price_tier **tiers; /* in the order in which they are tried; the default is last */
    uint32_t tier_count;
};

/* The column pricing_tiers of models, as JSON. What breaks the rules of the API is left out: a price that is none, a
 * tier with a condition that nobody knows. */
void price_read_tiers(struct price_row *row, struct slice json, struct arena *arena);

/* ---- usage ---- */

struct price_usage {
    const struct json_tree *tree; /* an object, or NULL: there is none */
};

/* Counts beyond what the gateway lets through, and what is no count, are as if absent. */
struct price_usage price_read_usage(struct slice json, struct arena *arena);

/* -1: not a count. */
int64_t price_count(const struct json_tree *number);

/* ---- the cost ---- */

enum price_match { PRICE_MATCHES_NOT, PRICE_MATCHES, PRICE_MATCH_UNKNOWN };

/* What tiers look at. */
struct price_facts {
    struct price_usage usage;
    const struct json_tree *model_parameters; /* NULL: none */
    const struct json_tree *metadata;
    /* Does the kind match the condition's regex? It is PostgreSQL that knows. */
    enum price_match (*match)(void *context, const struct price_condition *condition,
                              struct slice kind);
    void *context;
};

/* The tier that holds; NULL: the row has none. *unknown: match could not say, and has been asked of all that
 * matters. */
const struct price_tier *price_choose(const struct price_row *row, const struct price_facts *facts,
                                      bool *unknown);

/* Sets all of out but model_id. tier NULL, or no kind that it has a price for: no cost. */
void price_compute(const struct price_tier *tier, struct price_usage usage, struct arena *arena,
                   struct priced *out);
