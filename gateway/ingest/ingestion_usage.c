/* ingestion_usage: usage, usageDetails and costDetails of a body -> columns (contract section 2.5). */
#include "common/json_read.h"
#include "gateway/ingest/ingestion.h"
#include "gateway/ingest/usage.h"

/* Members of the old form. */
static const struct {
    const char *key;
    const char *tokens; /* the key of the map; NULL: it is a cost */
    const char *cost;
    bool means_tokens; /* this spelling knows no other unit */
} members[] = {
    {"input", "input", NULL, false},
    {"output", "output", NULL, false},
    {"total", "total", NULL, false},
    {"inputCost", NULL, "input", false},
    {"outputCost", NULL, "output", false},
    {"totalCost", NULL, "total", false},
    {"promptTokens", "input", NULL, true},
    {"completionTokens", "output", NULL, true},
    {"totalTokens", "total", NULL, true},
    {"prompt_tokens", "input", NULL, true},
    {"completion_tokens", "output", NULL, true},
    {"input_tokens", "input", NULL, true},
    {"output_tokens", "output", NULL, true},
    {"total_tokens", "total", NULL, true},
    {"inputTokens", "input", NULL, true},
    {"outputTokens", "output", NULL, true},
    {"input_cost", NULL, "input", false},
    {"output_cost", NULL, "output", false},
    {"total_cost", NULL, "total", false},
};

static const char *const units[] = {"TOKENS",  "CHARACTERS", "MILLISECONDS",
                                    "SECONDS", "IMAGES",     "REQUESTS"};

/* The old form; everything in it is optional. */
struct old_usage {
    struct usage *usage;
    struct costs *costs;
    struct slice unit;
    bool has_details; /* it is one of the forms of usageDetails after all */
};

static const char *read_unit(struct old_usage *old, struct json_reader *reader)
{
    struct slice unit;
    if (json_string(reader, &unit)) {
        for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
            if (slice_is(unit, units[i])) {
                old->unit = slice_from(units[i]);
                return NULL;
            }
        }
    }
    return "unit: not TOKENS, CHARACTERS, MILLISECONDS, SECONDS, IMAGES or REQUESTS";
}

static const char *read_member(struct old_usage *old, struct slice key, struct json_reader *reader)
{
    size_t at = 0;
    struct slice number;
    int64_t tokens;
    while (at < sizeof(members) / sizeof(members[0]) && !slice_is(key, members[at].key)) {
        at++;
    }
    if (json_null(reader)) {
        return NULL;
    }
    if (slice_is(key, "unit")) {
        return read_unit(old, reader);
    }
    if (at == sizeof(members) / sizeof(members[0])) {
        old->has_details |= json_peek(reader) == JSON_OBJECT;
        json_skip(reader, NULL);
        return NULL;
    }
    if (!json_number(reader, &number)) {
        return members[at].tokens != NULL ? "a count is not a number" : "a cost is not a number";
    }
    if (members[at].tokens == NULL) {
        costs_set(old->costs, slice_from(members[at].cost), number);
        return NULL;
    }
    if (!json_number_whole(number, &tokens)) {
        return "a count is not a whole number";
    }
    usage_set(old->usage, slice_from(members[at].tokens), tokens);
    if (members[at].means_tokens && old->unit.len == 0) {
        old->unit = SLICE_LITERAL("TOKENS");
    }
    return NULL;
}

static const char *read_old(struct old_usage *old, struct slice json, struct arena *arena)
{
    struct json_reader reader;
    struct slice key;
    json_reader_init(&reader, (char *)json.data, json.len, JSON_DEPTH_MAX, arena);
    if (!json_object_begin(&reader)) {
        return "not an object";
    }
    while (json_object_next(&reader, &key)) {
        const char *reason = read_member(old, key, &reader);
        if (reason != NULL) {
            return reason;
        }
    }
    if (old->has_details) {
        usage_read(old->usage, json, arena);
    }
    return NULL;
}

static void add_old_total(struct usage *usage)
{
    int64_t input = usage_get(usage, "input");
    int64_t output = usage_get(usage, "output");
    if (usage_get(usage, "total") < 0 && (input >= 0 || output >= 0)) {
        usage_set(usage, SLICE_LITERAL("total"),
                  (input > 0 ? input : 0) + (output > 0 ? output : 0));
    }
}

/* Sums that a later map without such kinds must not leave standing. */
static void set_missing_sums(struct row *row)
{
    if (!row_has(row, OBSERVATION_PROMPT_TOKENS)) {
        row_set_integer(row, OBSERVATION_PROMPT_TOKENS, 0);
    }
    if (!row_has(row, OBSERVATION_COMPLETION_TOKENS)) {
        row_set_integer(row, OBSERVATION_COMPLETION_TOKENS, 0);
    }
}

bool ingestion_usage(struct ingestion *work, struct ingestion_fault *fault)
{
    struct row *row = &work->fields_row.row;
    const struct slice *asides = work->fields_row.asides;
    struct usage usage = {.count = 0};
    struct costs costs = {.count = 0};
    struct old_usage old = {.usage = &usage, .costs = &costs};
    if (asides[ASIDE_USAGE].len > 0) {
        const char *reason = read_old(&old, asides[ASIDE_USAGE], work->arena);
        if (reason != NULL) {
            return ingestion_wrong(fault, "usage", reason);
        }
        add_old_total(&usage);
    }
    if (asides[ASIDE_USAGE_DETAILS].len > 0) {
        usage_read(&usage, asides[ASIDE_USAGE_DETAILS], work->arena);
    }
    if (asides[ASIDE_COST_DETAILS].len > 0) {
        costs_read(&costs, asides[ASIDE_COST_DETAILS], work->arena);
    }
    if (usage.count > 0) {
        usage_add_total(&usage);
        usage_to_row(&usage, work->arena, row);
        set_missing_sums(row);
    }
    if (old.unit.len > 0) {
        row_set_slice(row, OBSERVATION_UNIT, old.unit);
    }
    costs_add_total(&costs, work->arena);
    costs_to_row(&costs, work->arena, row);
    return true;
}
