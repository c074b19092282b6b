#include "writer/models.h"

#include <assert.h>
#include <endian.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"

#define EPOCH_US INT64_C(946684800000000) /* 2000-01-01 */

enum {
    ASK_MAX = 200, /* names or kinds a statement */
    CANDIDATES_MAX = 20000,
    BYTES_MAX = 64 * 1024 * 1024,
};

/* The patterns are the outer loop: each is compiled once, however many names there are. */
static const char sql_match[] =
    "SELECT k.n, m.project_id, m.id, m.start_date, m.pricing_tiers::text FROM models m,"
    " LATERAL (SELECT w.n FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS w(p, m, n)"
    "  WHERE w.p = m.project_id AND w.m ~ m.match_pattern OFFSET 0) k"
    " WHERE m.deleted_at IS NULL AND m.project_id = ANY ($1::text[])"
    " ORDER BY k.n, m.start_date DESC NULLS LAST, m.created_at DESC, m.id";
/* A letter before the regex says whether case counts. */
static const char sql_kinds[] =
    "SELECT n FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS w(p, k, n)"
    " WHERE CASE WHEN left(w.p, 1) = 's' THEN w.k ~ substr(w.p, 2) ELSE w.k ~* substr(w.p, 2) END"
    " ORDER BY n";

struct models_candidates {
    struct price_row **rows;
    uint32_t count;
};

/* ---- what is remembered ---- */

enum space { SPACE_NAMES, SPACE_ROWS, SPACE_KINDS };
enum { KIND_MATCHES_NOT = 1, KIND_MATCHES };

static struct series_key key_of(enum space space, struct slice first, struct slice second)
{
    static const char *const names[] = {"names", "rows", "kinds"};
    return (struct series_key){
        .project = first, .name = second, .environment = slice_from(names[space])};
}

void models_init(struct models *models, struct session *session)
{
    *models = (struct models){._arena = ARENA_EMPTY};
    matches_init(&models->_matches, session);
    series_init(&models->_known);
}

void models_finish(struct models *models)
{
    models_forget(models);
    series_finish(&models->_known);
    arena_finish(&models->_arena);
    free(models->_candidates);
    free(models->_rows);
    free(models->_unknown);
    matches_finish(&models->_matches);
}

void models_forget(struct models *models)
{
    series_forget(&models->_known);
    arena_reset(&models->_arena);
    models->_candidates_count = 0;
    models->_rows_count = 0;
    models->_generation[0] = '\0';
    models->_is_stale = false;
    models->_retry_at_ms = 0;
}

void models_begin(struct models *models, struct slice generation)
{
    bool full = models->_candidates_count > CANDIDATES_MAX || models->_arena.used > BYTES_MAX;
    bool retry = models->_retry_at_ms != 0 && clock_monotonic_ms() >= models->_retry_at_ms;
    if (!models->_is_stale && !full && !retry && generation.len > 0 &&
        slice_is(generation, models->_generation)) {
        return;
    }
    models_forget(models);
    models->has_conditions = generation.len == 0 || generation.data[generation.len - 1] == '+';
    if (generation.len < sizeof(models->_generation)) {
        memcpy(models->_generation, generation.data != NULL ? generation.data : "", generation.len);
        models->_generation[generation.len] = '\0';
    }
}

void models_change(struct models *models)
{
    models->_is_stale = true;
}

/* ---- asking ---- */

static struct slice field(const PGresult *result, int row, int column)
{
    return (struct slice){PQgetvalue(result, row, column),
                          (size_t)PQgetlength(result, row, column)};
}

static int64_t field_int64(const PGresult *result, int row, int column)
{
    uint64_t value;
    memcpy(&value, PQgetvalue(result, row, column), sizeof(value));
    return (int64_t)be64toh(value);
}

/* ---- names ---- */

static struct price_row *remember_row(struct models *models, const PGresult *result, int row)
{
    struct series_key key = key_of(SPACE_ROWS, field(result, row, 1), field(result, row, 2));
    int64_t place = series_find(&models->_known, &key);
    if (place != 0) {
        return models->_rows[place - 1];
    }
    struct price_row *made = arena_zalloc(&models->_arena, sizeof(*made));
    made->id = arena_copy(&models->_arena, field(result, row, 2));
    made->start_us =
        PQgetisnull(result, row, 3) != 0 ? INT64_MIN : field_int64(result, row, 3) + EPOCH_US;
    price_read_tiers(made, field(result, row, 4), &models->_arena);
    if (models->_rows_count == models->_rows_capacity) {
        models->_rows_capacity = models->_rows_capacity == 0 ? 64 : models->_rows_capacity * 2;
        models->_rows =
            memory_resize(models->_rows, models->_rows_capacity * sizeof(*models->_rows));
    }
    models->_rows[models->_rows_count++] = made;
    series_put(&models->_known, &key, models->_rows_count);
    return made;
}

static void remember_name(struct models *models, const struct match_pair *name,
                          struct price_row *const *rows, uint32_t count)
{
    struct models_candidates candidates = {
        .rows = arena_alloc(&models->_arena, count * sizeof(struct price_row *)), .count = count};
    if (count > 0) {
        memcpy(candidates.rows, rows, count * sizeof(*rows));
    }
    if (models->_candidates_count == models->_candidates_capacity) {
        models->_candidates_capacity =
            models->_candidates_capacity == 0 ? 64 : models->_candidates_capacity * 2;
        models->_candidates = memory_resize(models->_candidates, models->_candidates_capacity *
                                                                     sizeof(*models->_candidates));
    }
    models->_candidates[models->_candidates_count++] = candidates;
    struct series_key key = key_of(SPACE_NAMES, name->first, name->second);
    series_put(&models->_known, &key, models->_candidates_count);
}

static enum err learn_names(struct models *models, const struct match_pair *names, uint32_t count,
                            struct arena *arena, struct error *error)
{
    PGresult *result;
    bool is_own = names[0].first.len > 0;
    enum err err = matches_ask(&models->_matches, sql_match, is_own, names, count, &result, error);
    if (err != ERR_OK) {
        return err;
    }
    if (result == NULL && is_own) {
        matches_note_failing(&models->_matches, names[0].first);
        return ERR_OK;
    }
    if (result == NULL) {
        models->_retry_at_ms = clock_monotonic_ms() + MATCHES_RETRY_MS;
    }
    int rows = result != NULL ? PQntuples(result) : 0;
    struct price_row **matched = arena_alloc(arena, (size_t)rows * sizeof(struct price_row *));
    int row = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t found = 0;
        for (; row < rows && field_int64(result, row, 0) == (int64_t)i + 1; row++) {
            matched[found++] = remember_row(models, result, row);
        }
        remember_name(models, &names[i], matched, found);
    }
    PQclear(result);
    return ERR_OK;
}

static bool is_known(struct models *models, struct slice project, struct slice name)
{
    struct series_key key = key_of(SPACE_NAMES, project, name);
    return series_find(&models->_known, &key) != 0;
}

static bool has(const struct merged *observation, uint64_t columns)
{
    return (observation->present & columns) != 0;
}

static struct slice name_of(const struct merged *observation)
{
    assert((observation->unread & MODELS_BIT(MODEL)) == 0);
    return observation->values[OBSERVATION_MODEL].slice;
}

/* Built-in rows and a project's own are asked for apart: what is wrong with one's patterns is not the other's. */
static enum err learn_all(struct models *models, struct merged **observations, uint32_t count,
                          struct arena *arena, struct error *error)
{
    struct match_pair *unknown = arena_alloc(arena, 2 * count * sizeof(*unknown));
    uint32_t wanted = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!has(observations[i], MODELS_BIT(MODEL)) ||
            name_of(observations[i]).len > MODELS_NAME_MAX) {
            continue;
        }
        struct slice project = observations[i]->project;
        struct slice name = name_of(observations[i]);
        if (!is_known(models, project, name)) {
            unknown[wanted++] = (struct match_pair){project, name};
        }
        if (!is_known(models, (struct slice){"", 0}, name)) {
            unknown[wanted++] = (struct match_pair){{"", 0}, name};
        }
    }
    wanted = matches_sort(unknown, wanted);
    enum err err = ERR_OK;
    for (uint32_t at = 0, end; at < wanted && err == ERR_OK; at = end) {
        for (end = at + 1; end < wanted && end - at < ASK_MAX &&
                           slice_equals(unknown[end].first, unknown[at].first);
             end++) {
        }
        if (!matches_is_failing(&models->_matches, unknown[at].first)) {
            err = learn_names(models, unknown + at, end - at, arena, error);
        }
    }
    return err;
}

static const struct price_row *pick(struct models *models, struct slice project, struct slice name,
                                    int64_t start_us)
{
    struct series_key key = key_of(SPACE_NAMES, project, name);
    int64_t place = series_find(&models->_known, &key);
    if (place == 0) {
        return NULL;
    }
    const struct models_candidates *candidates = &models->_candidates[place - 1];
    for (uint32_t i = 0; i < candidates->count; i++) {
        if (candidates->rows[i]->start_us <= start_us) {
            return candidates->rows[i];
        }
    }
    return NULL;
}

static const struct price_row *find_row(struct models *models, const struct merged *observation)
{
    if (!has(observation, MODELS_BIT(MODEL))) {
        return NULL;
    }
    int64_t start_us = has(observation, MODELS_BIT(START_TIME))
                           ? observation->values[OBSERVATION_START_TIME].integer
                       : observation->created_us != 0 ? observation->created_us
                                                      : clock_wall_us();
    struct slice name = name_of(observation);
    const struct price_row *own = pick(models, observation->project, name, start_us);
    return own != NULL ? own : pick(models, (struct slice){"", 0}, name, start_us);
}

/* ---- kinds ---- */

struct matching {
    struct models *models;
    struct arena *arena;
};

static struct slice regex_of(const struct price_condition *condition, struct arena *arena)
{
    char *text = arena_alloc(arena, 1 + condition->key.len);
    text[0] = condition->case_sensitive ? 's' : 'i';
    if (condition->key.len > 0) {
        memcpy(text + 1, condition->key.data, condition->key.len);
    }
    return (struct slice){text, 1 + condition->key.len};
}

static enum price_match match_kind(void *context, const struct price_condition *condition,
                                   struct slice kind)
{
    struct matching *matching = context;
    struct models *models = matching->models;
    struct match_pair unknown = {regex_of(condition, matching->arena), kind};
    struct series_key key = key_of(SPACE_KINDS, unknown.first, unknown.second);
    int64_t known = series_find(&models->_known, &key);
    if (known != 0) {
        return known == KIND_MATCHES ? PRICE_MATCHES : PRICE_MATCHES_NOT;
    }
    if (models->_unknown_count == models->_unknown_capacity) {
        models->_unknown_capacity =
            models->_unknown_capacity == 0 ? 64 : models->_unknown_capacity * 2;
        models->_unknown =
            memory_resize(models->_unknown, models->_unknown_capacity * sizeof(unknown));
    }
    models->_unknown[models->_unknown_count++] = unknown;
    return PRICE_MATCH_UNKNOWN;
}

static enum err learn_kinds(struct models *models, struct error *error)
{
    uint32_t count = matches_sort(models->_unknown, models->_unknown_count);
    enum err err = ERR_OK;
    models->_unknown_count = 0;
    for (uint32_t at = 0; at < count && err == ERR_OK; at += ASK_MAX) {
        uint32_t some = count - at < ASK_MAX ? count - at : ASK_MAX;
        const struct match_pair *kinds = models->_unknown + at;
        PGresult *result;
        err = matches_ask(&models->_matches, sql_kinds, false, kinds, some, &result, error);
        if (err == ERR_OK && result == NULL) {
            models->_retry_at_ms = clock_monotonic_ms() + MATCHES_RETRY_MS;
        }
        int rows = result != NULL ? PQntuples(result) : 0;
        int row = 0;
        for (uint32_t i = 0; i < some && err == ERR_OK; i++) {
            struct series_key key = key_of(SPACE_KINDS, kinds[i].first, kinds[i].second);
            bool matches = row < rows && field_int64(result, row, 0) == (int64_t)i + 1;
            row += matches;
            series_put(&models->_known, &key, matches ? KIND_MATCHES : KIND_MATCHES_NOT);
        }
        PQclear(result);
    }
    return err;
}

/* ---- one observation ---- */

/* Of clients that only count what goes in and out. */
static struct slice counts_as_usage(const struct merged *observation, struct arena *arena)
{
    static const struct {
        uint32_t column;
        const char *kind;
    } counts[] = {{OBSERVATION_PROMPT_TOKENS, "input"},
                  {OBSERVATION_COMPLETION_TOKENS, "output"},
                  {OBSERVATION_TOTAL_TOKENS, "total"}};
    struct buf text = BUF_EMPTY;
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        if (has(observation, UINT64_C(1) << counts[i].column)) {
            buf_printf(&text, "%c\"%s\":%" PRId64, text.len > 0 ? ',' : '{', counts[i].kind,
                       observation->values[counts[i].column].integer);
        }
    }
    if (text.len == 0) {
        return (struct slice){NULL, 0};
    }
    buf_append_char(&text, '}');
    struct slice copy = arena_copy(arena, buf_slice(&text));
    buf_finish(&text);
    return copy;
}

static struct price_usage usage_of(const struct merged *observation, struct arena *arena)
{
    struct price_usage usage = {NULL};
    if (has(observation, MODELS_BIT(USAGE_DETAILS))) {
        usage = price_read_usage(observation->values[OBSERVATION_USAGE_DETAILS].slice, arena);
    }
    return usage.tree != NULL ? usage
                              : price_read_usage(counts_as_usage(observation, arena), arena);
}

static const struct json_tree *document_of(struct merged *observation, uint32_t column,
                                           struct arena *arena)
{
    if (!has(observation, UINT64_C(1) << column) || (observation->unread >> column & 1) != 0) {
        return NULL;
    }
    if (column != OBSERVATION_METADATA) {
        return json_tree_parse(observation->values[column].slice, arena);
    }
    struct buf text = BUF_EMPTY;
    metadata_print(merge_metadata(observation, arena), &text);
    const struct json_tree *tree = json_tree_parse(buf_slice(&text), arena);
    buf_finish(&text);
    return tree;
}

/* False: its tier is not known yet. */
static bool price_one(struct models *models, struct merged *observation, struct arena *arena)
{
    struct matching matching = {models, arena};
    struct priced *priced = arena_zalloc(arena, sizeof(*priced));
    const struct price_row *row = find_row(models, observation);
    observation->priced = priced;
    if (row == NULL) {
        return true;
    }
    struct price_facts facts = {
        .usage = usage_of(observation, arena), .match = match_kind, .context = &matching};
    if (models->has_conditions) {
        facts.model_parameters = document_of(observation, OBSERVATION_MODEL_PARAMETERS, arena);
        facts.metadata = document_of(observation, OBSERVATION_METADATA, arena);
    }
    bool unknown;
    const struct price_tier *tier = price_choose(row, &facts, &unknown);
    priced->model_id = row->id;
    if (!unknown && !has(observation, MODELS_GIVEN)) {
        price_compute(tier, facts.usage, arena, priced);
    }
    return !unknown;
}

enum err models_price(struct models *models, struct merged **observations, uint32_t count,
                      struct arena *arena, struct error *error)
{
    enum err err = learn_all(models, observations, count, arena, error);
    models->_unknown_count = 0;
    for (uint32_t i = 0; i < count && err == ERR_OK; i++) {
        price_one(models, observations[i], arena);
    }
    if (err != ERR_OK || models->_unknown_count == 0) {
        return err;
    }
    err = learn_kinds(models, error);
    for (uint32_t i = 0; i < count && err == ERR_OK; i++) {
        price_one(models, observations[i], arena);
    }
    return err;
}
