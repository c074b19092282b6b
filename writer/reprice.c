#include "writer/reprice.h"

#include <endian.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/rfc3339.h"
#include "writer/array.h"
#include "writer/deletions.h"
#include "writer/models.h"
#include "writer/words.h"

#define EPOCH_US INT64_C(946684800000000) /* 2000-01-01 */

enum { PROGRESS_MS = 2000 };

/* Groups that began before this may still price by what they remember: they have ended afterwards. */
static const char sql_await_groups[] = "BEGIN; SELECT xtrace_lock_traces(); COMMIT";

static const char sql_generation[] = "SELECT " MODELS_SQL_GENERATION;

/* The next keys, whether asked for or not, so that a statement stays short. $1 to $3: the last key; then project,
 * model, from, to. */
static const char sql_page[] =
    "SELECT o.project_id, o.trace_id, o.id, o.model IS NOT NULL"
    " AND ($5::text IS NULL OR o.model = $5::text)"
    " AND ($6::text IS NULL OR coalesce(o.start_time, o.created_at) >= ($6::text)::timestamptz)"
    " AND ($7::text IS NULL OR coalesce(o.start_time, o.created_at) <= ($7::text)::timestamptz)"
    " FROM observations o WHERE (o.project_id, o.trace_id, o.id) > ($1::text, $2::text, $3::text)"
    " AND ($4::text IS NULL OR o.project_id = $4::text)"
    " ORDER BY o.project_id, o.trace_id, o.id LIMIT 2000";

/* $4: parameters and metadata too. In key order, as everybody locks. */
#define SQL_READ                                                                                   \
    "SELECT o.project_id, o.trace_id, o.id, o.created_at, o.model, o.start_time, o.prompt_tokens," \
    " o.completion_tokens, o.total_tokens, o.usage_details::text,"                                 \
    " o.input_cost IS NOT NULL OR o.output_cost IS NOT NULL OR o.total_cost IS NOT NULL"           \
    "  OR o.cost_details IS NOT NULL,"                                                             \
    " CASE WHEN $4::boolean THEN o.model_parameters END,"                                          \
    " CASE WHEN $4::boolean THEN o.metadata::text END,"                                            \
    " o.computed_total_cost::text, o.priced_model_id, o.pricing_tier_id, o.pricing_tier_name,"     \
    " o.computed_cost_details::text, to_json(o.unpriced_usage)::text"                              \
    " FROM unnest($1::text[], $2::text[], $3::text[]) AS k(p, t, i) JOIN observations o"           \
    " ON o.project_id = k.p AND o.trace_id = k.t AND o.id = k.i"                                   \
    " ORDER BY o.project_id, o.trace_id, o.id"
static const char sql_read[] = SQL_READ;
static const char sql_read_locked[] = SQL_READ " FOR UPDATE OF o";

enum {
    READ_PROJECT,
    READ_TRACE,
    READ_ID,
    READ_CREATED,
    READ_MODEL,
    READ_START,
    READ_PROMPT,
    READ_COMPLETION,
    READ_TOTAL,
    READ_USAGE,
    READ_GIVEN,
    READ_PARAMETERS,
    READ_METADATA,
    READ_COST,
    READ_PRICED_MODEL,
    READ_TIER_ID,
    READ_TIER_NAME,
    READ_DETAILS,
    READ_UNPRICED
};

/* An empty text is SQL null: none of the values can be one. */
static const char sql_write[] =
    "WITH k AS (SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[],"
    "  $6::text[], $7::text[], $8::text[], $9::text[])"
    "  AS k(p, t, i, details, total, model_id, tier_id, tier_name, unpriced)),"
    " changed AS (UPDATE observations o SET"
    "  computed_cost_details = nullif(k.details, '')::jsonb,"
    "  computed_total_cost = nullif(k.total, '')::numeric,"
    "  priced_model_id = nullif(k.model_id, ''), pricing_tier_id = nullif(k.tier_id, ''),"
    "  pricing_tier_name = nullif(k.tier_name, ''),"
    "  unpriced_usage = (SELECT array_agg(e.value ORDER BY e.n)"
    "   FROM jsonb_array_elements_text(nullif(k.unpriced, '')::jsonb) WITH ORDINALITY AS e(value, "
    "n)),"
    "  updated_at = now()"
    "  FROM k WHERE o.project_id = k.p AND o.trace_id = k.t AND o.id = k.i"
    "  RETURNING o.project_id, o.trace_id)"
    " INSERT INTO dirty_days (project_id, day)"
    " SELECT DISTINCT t.project_id, (t.timestamp AT TIME ZONE 'UTC')::date"
    " FROM (SELECT DISTINCT project_id, trace_id FROM changed) c"
    " JOIN traces t ON t.project_id = c.project_id AND t.id = c.trace_id";

struct key {
    struct slice parts[3]; /* project, trace, id */
};

/* An observation as it is, and what it costs by the prices of now. */
struct repriced {
    struct key key;
    struct merged *observation;
    struct priced stored;
};

struct reprice {
    struct session *session;
    const struct reprice_order *order;
    FILE *out;
    struct models models;
    struct arena arena; /* of a page */
    struct slice last[3];
    struct buf last_bytes; /* of last */
    uint64_t looked_at, changed, gained, lost, unpriced;
    double before, after; /* for people: the sums of what changed */
    int64_t told_at_ms;
};

/* ---- words ---- */

static enum err check_time(const char *word, const char *value, struct error *error)
{
    char text[RFC3339_SIZE + 16];
    int64_t us;
    if (value == NULL) {
        return ERR_OK;
    }
    snprintf(text, sizeof(text), strlen(value) == 10 ? "%.16sT00:00:00Z" : "%.40s", value);
    return rfc3339_parse(slice_from(text), &us)
               ? ERR_OK
               : error_set(error, ERR_INVALID, "%s: '%s' is neither a date nor an RFC 3339 time",
                           word, value);
}

enum err reprice_order_read(int argc, char **argv, struct reprice_order *out, struct error *error)
{
    *out = (struct reprice_order){.dry_run = false};
    const struct word_option options[] = {
        {"--project", &out->project, NULL}, {"--from", &out->from, NULL},
        {"--to", &out->to, NULL},           {"--model", &out->model, NULL},
        {"--dry-run", NULL, &out->dry_run}, {.name = NULL}};
    enum err err = words_read(argc, argv, options, NULL, 0, error);
    if (err == ERR_OK) {
        err = check_time("--from", out->from, error);
    }
    return err == ERR_OK ? check_time("--to", out->to, error) : err;
}

/* ---- reading ---- */

static struct slice field(struct reprice *reprice, const PGresult *result, int row, int column)
{
    if (PQgetisnull(result, row, column) != 0) {
        return (struct slice){NULL, 0};
    }
    return arena_copy(&reprice->arena, (struct slice){PQgetvalue(result, row, column),
                                                      (size_t)PQgetlength(result, row, column)});
}

static int64_t field_int64(const PGresult *result, int row, int column)
{
    uint64_t value;
    memcpy(&value, PQgetvalue(result, row, column), sizeof(value));
    return (int64_t)be64toh(value);
}

static void set_text(struct merged *observation, uint32_t column, struct slice text)
{
    if (text.data != NULL) {
        observation->values[column].slice = text;
        observation->present |= UINT64_C(1) << column;
    }
}

static void set_integer(struct merged *observation, uint32_t column, const PGresult *result,
                        int row, int from, int64_t epoch)
{
    if (PQgetisnull(result, row, from) == 0) {
        observation->values[column].integer = field_int64(result, row, from) + epoch;
        observation->present |= UINT64_C(1) << column;
    }
}

static struct repriced read_one(struct reprice *reprice, const PGresult *result, int row)
{
    struct merged *made = arena_zalloc(&reprice->arena, sizeof(*made));
    struct repriced repriced = {.observation = made};
    for (int part = 0; part < 3; part++) {
        repriced.key.parts[part] = field(reprice, result, row, READ_PROJECT + part);
    }
    made->kind = ROW_OBSERVATION;
    made->project = repriced.key.parts[0];
    made->created_us = field_int64(result, row, READ_CREATED) + EPOCH_US;
    set_text(made, OBSERVATION_MODEL, field(reprice, result, row, READ_MODEL));
    set_integer(made, OBSERVATION_START_TIME, result, row, READ_START, EPOCH_US);
    set_integer(made, OBSERVATION_PROMPT_TOKENS, result, row, READ_PROMPT, 0);
    set_integer(made, OBSERVATION_COMPLETION_TOKENS, result, row, READ_COMPLETION, 0);
    set_integer(made, OBSERVATION_TOTAL_TOKENS, result, row, READ_TOTAL, 0);
    set_text(made, OBSERVATION_USAGE_DETAILS, field(reprice, result, row, READ_USAGE));
    set_text(made, OBSERVATION_MODEL_PARAMETERS, field(reprice, result, row, READ_PARAMETERS));
    set_text(made, OBSERVATION_METADATA, field(reprice, result, row, READ_METADATA));
    made->present |= PQgetvalue(result, row, READ_GIVEN)[0] != 0 ? MODELS_BIT(TOTAL_COST) : 0;
    repriced.stored = (struct priced){
        .details = field(reprice, result, row, READ_DETAILS),
        .total = field(reprice, result, row, READ_COST),
        .model_id = field(reprice, result, row, READ_PRICED_MODEL),
        .tier_id = field(reprice, result, row, READ_TIER_ID),
        .tier_name = field(reprice, result, row, READ_TIER_NAME),
        .unpriced = field(reprice, result, row, READ_UNPRICED),
    };
    return repriced;
}

static bool is_same_json(struct slice a, struct slice b, struct arena *arena)
{
    if (a.len == 0 || b.len == 0) {
        return a.len == b.len;
    }
    return json_tree_compare(json_tree_parse(a, arena), json_tree_parse(b, arena)) == 0;
}

static bool has_changed(const struct repriced *repriced, struct arena *arena)
{
    const struct priced *new = repriced->observation->priced;
    const struct priced *old = &repriced->stored;
    return !slice_equals(new->model_id, old->model_id) ||
           !slice_equals(new->tier_id, old->tier_id) ||
           !slice_equals(new->tier_name, old->tier_name) ||
           !is_same_json(new->details, old->details, arena) ||
           !is_same_json(new->unpriced, old->unpriced, arena) ||
           !is_same_json(new->total, old->total, arena);
}

static void add_keys(struct session_parameters *parameters, struct buf bufs[3],
                     const struct key *keys, uint32_t count)
{
    for (int part = 0; part < 3; part++) {
        array_begin(&bufs[part], OID_TEXT, count);
        for (uint32_t i = 0; i < count; i++) {
            array_add_slice(&bufs[part], keys[i].parts[part]);
        }
        parameters->values[part] = buf_slice(&bufs[part]);
    }
    parameters->count = 3;
}

/* Of the keys those whose cost is another by now, in *out and (compacted) in keys. */
static enum err price_keys(struct reprice *reprice, const char *sql, struct key *keys,
                           uint32_t *count, struct repriced **out, struct error *error)
{
    struct buf bufs[3] = {BUF_EMPTY, BUF_EMPTY, BUF_EMPTY};
    struct session_parameters parameters;
    char documents = reprice->models.has_conditions ? 1 : 0;
    PGresult *result = NULL;
    add_keys(&parameters, bufs, keys, *count);
    parameters.values[parameters.count++] = (struct slice){&documents, 1};
    enum err err = session_query(reprice->session, sql, &parameters, &result, error);
    uint32_t rows = err == ERR_OK ? (uint32_t)PQntuples(result) : 0;
    struct repriced *all = arena_alloc(&reprice->arena, rows * sizeof(*all));
    struct merged **observations = arena_alloc(&reprice->arena, rows * sizeof(struct merged *));
    for (uint32_t i = 0; i < rows; i++) {
        all[i] = read_one(reprice, result, (int)i);
        observations[i] = all[i].observation;
    }
    PQclear(result);
    if (err == ERR_OK) {
        err = models_price(&reprice->models, observations, rows, &reprice->arena, error);
    }
    *count = 0;
    *out = all;
    for (uint32_t i = 0; err == ERR_OK && i < rows; i++) {
        if (has_changed(&all[i], &reprice->arena)) {
            keys[*count] = all[i].key;
            all[(*count)++] = all[i];
        }
    }
    for (int part = 0; part < 3; part++) {
        buf_finish(&bufs[part]);
    }
    return err;
}

/* ---- writing ---- */

static struct slice value_of(const struct priced *priced, int place)
{
    const struct slice values[] = {priced->details, priced->total,     priced->model_id,
                                   priced->tier_id, priced->tier_name, priced->unpriced};
    return values[place];
}

static enum err write_changed(struct reprice *reprice, const struct key *keys,
                              const struct repriced *changed, uint32_t count, struct error *error)
{
    struct buf bufs[3 + PRICED_COLUMN_COUNT];
    struct session_parameters parameters;
    for (int i = 0; i < 3 + PRICED_COLUMN_COUNT; i++) {
        bufs[i] = BUF_EMPTY;
    }
    add_keys(&parameters, bufs, keys, count);
    for (int place = 0; place < PRICED_COLUMN_COUNT; place++) {
        struct buf *buf = &bufs[3 + place];
        array_begin(buf, OID_TEXT, count);
        for (uint32_t i = 0; i < count; i++) {
            array_add_slice(buf, value_of(changed[i].observation->priced, place));
        }
        parameters.values[parameters.count++] = buf_slice(buf);
    }
    enum err err = session_query(reprice->session, sql_write, &parameters, NULL, error);
    for (int i = 0; i < 3 + PRICED_COLUMN_COUNT; i++) {
        buf_finish(&bufs[i]);
    }
    return err;
}

static double amount(struct reprice *reprice, struct slice number)
{
    return number.len > 0 ? strtod(arena_text(&reprice->arena, number), NULL) : 0;
}

static void count_changed(struct reprice *reprice, const struct repriced *changed, uint32_t count)
{
    reprice->changed += count;
    for (uint32_t i = 0; i < count; i++) {
        const struct priced *new = changed[i].observation->priced;
        const struct priced *old = &changed[i].stored;
        reprice->gained += old->total.len == 0 && new->total.len > 0;
        reprice->lost += old->total.len > 0 && new->total.len == 0;
        reprice->unpriced += new->unpriced.len > 0;
        reprice->before += amount(reprice, old->total);
        reprice->after += amount(reprice, new->total);
    }
}

/* ---- pages ---- */

static struct slice text_or_null(const char *text)
{
    return text != NULL ? slice_from(text) : (struct slice){NULL, 0};
}

static void remember_last(struct reprice *reprice, const PGresult *result)
{
    size_t ends[3];
    buf_reset(&reprice->last_bytes);
    for (int part = 0; part < 3; part++) {
        int row = PQntuples(result) - 1;
        buf_append(&reprice->last_bytes, PQgetvalue(result, row, part),
                   (size_t)PQgetlength(result, row, part));
        ends[part] = reprice->last_bytes.len;
    }
    size_t begin = 0;
    for (int part = 0; part < 3; part++) {
        reprice->last[part] = (struct slice){reprice->last_bytes.data + begin, ends[part] - begin};
        begin = ends[part];
    }
}

/* *end: there are no more. */
static enum err read_page(struct reprice *reprice, struct key **keys, uint32_t *count, bool *end,
                          struct error *error)
{
    const struct reprice_order *order = reprice->order;
    struct session_parameters parameters = {
        .values = {reprice->last[0], reprice->last[1], reprice->last[2],
                   text_or_null(order->project), text_or_null(order->model),
                   text_or_null(order->from), text_or_null(order->to)},
        .count = 7};
    PGresult *result = NULL;
    enum err err = session_query(reprice->session, sql_page, &parameters, &result, error);
    int rows = err == ERR_OK ? PQntuples(result) : 0;
    *keys = arena_alloc(&reprice->arena, (size_t)rows * sizeof(**keys));
    *count = 0;
    *end = rows == 0;
    for (int row = 0; row < rows; row++) {
        if (PQgetvalue(result, row, 3)[0] != 0) {
            struct key *key = &(*keys)[(*count)++];
            for (int part = 0; part < 3; part++) {
                key->parts[part] = field(reprice, result, row, part);
            }
        }
    }
    if (rows > 0) {
        remember_last(reprice, result);
    }
    PQclear(result);
    return err;
}

static enum err begin(struct reprice *reprice, struct error *error)
{
    PGresult *result = NULL;
    enum err err = session_exec(reprice->session, deletions_begin_shared, error);
    if (err == ERR_OK) {
        err = session_query(reprice->session, sql_generation, NULL, &result, error);
    }
    if (err == ERR_OK) {
        struct slice generation = {PQgetvalue(result, 0, 0), (size_t)PQgetlength(result, 0, 0)};
        models_begin(&reprice->models, generation);
    }
    PQclear(result);
    return err;
}

/* What has changed in the meantime is seen by the second look, under lock. */
static enum err run_keys(struct reprice *reprice, struct key *keys, uint32_t count,
                         struct error *error)
{
    struct repriced *changed;
    enum err err = begin(reprice, error);
    if (err == ERR_OK) {
        err = price_keys(reprice, sql_read, keys, &count, &changed, error);
    }
    if (err == ERR_OK && count > 0 && !reprice->order->dry_run) {
        err = price_keys(reprice, sql_read_locked, keys, &count, &changed, error);
        if (err == ERR_OK && count > 0) {
            err = write_changed(reprice, keys, changed, count, error);
        }
    }
    if (err == ERR_OK) {
        err = session_commit(reprice->session, error);
    }
    if (err == ERR_OK) {
        count_changed(reprice, changed, count);
    } else {
        session_rollback(reprice->session);
    }
    return err;
}

static enum err run_page(struct reprice *reprice, bool *end, struct error *error)
{
    enum { TRIES = 5 };
    struct key *keys;
    uint32_t count;
    arena_reset(&reprice->arena);
    enum err err = read_page(reprice, &keys, &count, end, error);
    if (err != ERR_OK || count == 0) {
        return err;
    }
    reprice->looked_at += count;
    struct key *copy = arena_alloc(&reprice->arena, count * sizeof(*copy));
    err = ERR_CONFLICT;
    for (int tries = 0; tries < TRIES && err == ERR_CONFLICT; tries++) {
        memcpy(copy, keys, count * sizeof(*copy));
        err = run_keys(reprice, copy, count, error);
    }
    return err;
}

static void tell(struct reprice *reprice, bool last)
{
    int64_t now_ms = clock_monotonic_ms();
    if (!last && now_ms < reprice->told_at_ms + PROGRESS_MS) {
        return;
    }
    reprice->told_at_ms = now_ms;
    fprintf(reprice->out,
            "%s%" PRIu64 " observations with a model: %" PRIu64 " %s (%" PRIu64
            " have a cost now, %" PRIu64 " have none any more, %" PRIu64
            " have kinds without a price), from about %.6f to %.6f USD\n",
            last ? "" : "... ", reprice->looked_at, reprice->changed,
            reprice->order->dry_run ? "would change" : "changed", reprice->gained, reprice->lost,
            reprice->unpriced, reprice->before, reprice->after);
    fflush(reprice->out);
}

enum err reprice_run(struct session *session, const struct reprice_order *order, FILE *out,
                     struct error *error)
{
    struct reprice reprice = {.session = session,
                              .order = order,
                              .out = out,
                              .arena = ARENA_EMPTY,
                              .last = {{"", 0}, {"", 0}, {"", 0}},
                              .last_bytes = BUF_EMPTY,
                              .told_at_ms = clock_monotonic_ms()};
    bool end = false;
    models_init(&reprice.models, session);
    enum err err = session_exec(session, sql_await_groups, error);
    while (err == ERR_OK && !end) {
        err = run_page(&reprice, &end, error);
        if (err == ERR_OK) {
            tell(&reprice, end);
        }
    }
    models_finish(&reprice.models);
    arena_finish(&reprice.arena);
    buf_finish(&reprice.last_bytes);
    return err;
}
