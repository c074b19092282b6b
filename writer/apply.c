#include "writer/apply.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "common/crash.h"
#include "writer/copy.h"
#include "writer/deletions.h"
#include "writer/lookup.h"
#include "writer/merge.h"
#include "writer/model_rows.h"

/* The keys of one kind, in key order. */
struct entries {
    struct entry *all;
    uint32_t count;
};

void apply_init(struct apply *apply, struct session *session)
{
    *apply = (struct apply){.session = session, .arena = ARENA_EMPTY, .bytes = BUF_EMPTY};
    statements_init(&apply->statements);
    books_init(&apply->books);
    points_init(&apply->points, session);
    models_init(&apply->models, session);
}

void apply_finish(struct apply *apply)
{
    statements_finish(&apply->statements);
    books_finish(&apply->books);
    points_finish(&apply->points);
    models_finish(&apply->models);
    arena_finish(&apply->arena);
    buf_finish(&apply->bytes);
}

enum err apply_prepare(struct apply *apply, struct error *error)
{
    enum err err = ERR_OK;
    points_forget(&apply->points);
    models_forget(&apply->models);
    for (int kind = 0; kind < ROW_MERGED_KINDS && err == ERR_OK; kind++) {
        err = session_exec(apply->session, apply->statements.tables[kind].create_staging, error);
    }
    return err;
}

static int compare_rows(const void *a, const void *b)
{
    const struct apply_row *left = a;
    const struct apply_row *right = b;
    const struct row_table *table = &row_tables[left->row->kind];
    if (left->row->kind != right->row->kind) {
        return left->row->kind < right->row->kind ? -1 : 1;
    }
    int order = left->project.data == right->project.data
                    ? 0
                    : slice_compare(left->project, right->project);
    if (order == 0 && left->_prefix != right->_prefix) {
        return left->_prefix < right->_prefix ? -1 : 1;
    }
    for (uint32_t i = 0; i < table->key_count && order == 0; i++) {
        order = slice_compare(left->row->values[i].slice, right->row->values[i].slice);
    }
    return order;
}

static void sort_rows(struct apply_row *rows, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct slice key = rows[i].row->values[0].slice;
        uint64_t prefix = 0;
        memcpy(&prefix, key.data, key.len < sizeof(prefix) ? key.len : sizeof(prefix));
        rows[i]._prefix = be64toh(prefix);
    }
    if (count > 1) {
        qsort(rows, count, sizeof(*rows), compare_rows);
    }
}

/* rows are sorted: equal keys stand together. */
static void merge_equal_keys(struct apply *apply, const struct apply_row *rows, uint32_t count,
                             struct entries entries[ROW_MERGED_KINDS])
{
    uint32_t at = 0;
    for (int kind = 0; kind < ROW_MERGED_KINDS; kind++) {
        uint32_t end = at;
        uint32_t keys = 0;
        while (end < count && rows[end].row->kind == (enum row_kind)kind) {
            keys += end == at || compare_rows(&rows[end - 1], &rows[end]) != 0;
            end++;
        }
        struct entry *all = arena_alloc(&apply->arena, keys * sizeof(*all));
        struct entry *last = NULL;
        entries[kind] = (struct entries){all, keys};
        for (; at < end; at++) {
            const struct apply_row *row = &rows[at];
            if (last == NULL || compare_rows(&rows[at - 1], row) != 0) {
                last = last == NULL ? all : last + 1;
                last->stored = NULL;
                last->changed = 0;
                last->is_changed = false;
                last->old_timestamp_us = 0;
                merge_begin(&last->incoming, row->row, row->project, row->received_us,
                            &apply->arena);
            } else {
                struct merged more;
                merge_begin(&more, row->row, row->project, row->received_us, &apply->arena);
                merge_add(&last->incoming, &more, &apply->arena);
            }
        }
    }
}

/* Merges what came in into what is stored. */
static void merge_into_stored(struct apply *apply, struct entry *entry)
{
    struct merged *stored = entry->stored;
    if (stored == NULL) {
        return;
    }
    int timestamp = merge_timestamp_column(stored->kind);
    entry->old_timestamp_us = timestamp >= 0 ? stored->values[timestamp].integer : 0;
    int64_t before = stored->event_version;
    entry->changed = merge_add(stored, &entry->incoming, &apply->arena);
    entry->is_changed = entry->changed != 0 || stored->event_version != before;
}

static enum err look_at(struct apply *apply, struct entry **list, uint32_t count, bool locked,
                        struct error *error)
{
    enum err err = lookup_rows(apply->session, &apply->statements, list, count, locked,
                               apply->models.has_conditions, &apply->arena, error);
    for (uint32_t i = 0; i < count && err == ERR_OK; i++) {
        merge_into_stored(apply, list[i]);
    }
    return err;
}

/* The trace of an observation, when it is in the group too. */
static const struct entry *find_trace(const struct entries *traces,
                                      const struct merged *observation)
{
    uint32_t low = 0;
    uint32_t high = traces->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct merged *trace = &traces->all[middle].incoming;
        int order = slice_compare(trace->project, observation->project);
        if (order == 0) {
            order = slice_compare(trace->values[TRACE_ID].slice,
                                  observation->values[OBSERVATION_TRACE_ID].slice);
        }
        if (order == 0) {
            return &traces->all[middle];
        }
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    return NULL;
}

static bool needs_no_look(const struct apply *apply, const struct entries *traces,
                          const struct entry *entry)
{
    if (apply->looks_everywhere || apply->_has_moved || entry->incoming.kind != ROW_OBSERVATION) {
        return false;
    }
    const struct entry *trace = find_trace(traces, &entry->incoming);
    return trace != NULL && trace->stored == NULL;
}

/*
 * Looks up and merges. Placeholders nearly always find a row that they do not change: no lock for
 * them, but a second look under lock for the few that do.
 */
static enum err look(struct apply *apply, const struct entries *traces, struct entries *entries,
                     struct error *error)
{
    struct entry **weak = arena_alloc(&apply->arena, entries->count * sizeof(struct entry *));
    struct entry **firm = arena_alloc(&apply->arena, entries->count * sizeof(struct entry *));
    uint32_t weak_count = 0;
    uint32_t firm_count = 0;
    for (uint32_t i = 0; i < entries->count; i++) {
        if (needs_no_look(apply, traces, &entries->all[i])) {
            continue;
        }
        if (merge_is_placeholder(&entries->all[i].incoming)) {
            weak[weak_count++] = &entries->all[i];
        } else {
            firm[firm_count++] = &entries->all[i];
        }
    }
    enum err err = look_at(apply, weak, weak_count, false, error);
    for (uint32_t i = 0; i < weak_count && err == ERR_OK; i++) {
        if (weak[i]->is_changed) {
            weak[i]->is_changed = false;
            firm[firm_count++] = weak[i];
        }
    }
    return err == ERR_OK ? look_at(apply, firm, firm_count, true, error) : err;
}

static enum tally_price price_outcome(const struct merged *observation)
{
    const struct priced *priced = observation->priced;
    if ((observation->present & MODELS_GIVEN) != 0) {
        return TALLY_GIVEN;
    }
    if (priced->model_id.len == 0) {
        return TALLY_UNMATCHED;
    }
    if (priced->unpriced.len > 0) {
        return TALLY_PARTLY;
    }
    return priced->total.len > 0 ? TALLY_COMPUTED : TALLY_UNUSED;
}

/* New ones that name a model, and those of which something changed that a cost depends on. */
static enum err price_observations(struct apply *apply, struct entries *entries,
                                   struct error *error)
{
    uint64_t inputs = MODELS_INPUTS | (apply->models.has_conditions ? MODELS_DOCUMENTS : 0);
    struct merged **all = arena_alloc(&apply->arena, entries->count * sizeof(struct merged *));
    uint32_t count = 0;
    for (uint32_t i = 0; i < entries->count; i++) {
        struct entry *entry = &entries->all[i];
        if (entry->stored == NULL && (entry->incoming.present & MODELS_BIT(MODEL)) != 0) {
            all[count++] = &entry->incoming;
        } else if (entry->stored != NULL && (entry->changed & inputs) != 0) {
            all[count++] = entry->stored;
        }
    }
    if (count == 0) {
        return ERR_OK;
    }
    enum err err = models_price(&apply->models, all, count, &apply->arena, error);
    for (uint32_t i = 0; i < count && err == ERR_OK; i++) {
        if ((all[i]->present & MODELS_BIT(MODEL)) != 0) {
            apply->effects.priced[price_outcome(all[i])]++;
        }
    }
    return err;
}

static enum err insert_unknown(struct apply *apply, enum row_kind kind, struct entries *entries,
                               struct error *error)
{
    uint32_t count = 0;
    buf_reset(&apply->bytes);
    copy_begin(&apply->bytes);
    for (uint32_t i = 0; i < entries->count; i++) {
        if (entries->all[i].stored == NULL) {
            enum err err = copy_row(&apply->bytes, &entries->all[i].incoming, &apply->arena, error);
            if (err != ERR_OK) {
                return err;
            }
            count++;
        }
    }
    copy_end(&apply->bytes);
    return count == 0 ? ERR_OK
                      : session_copy(apply->session, apply->statements.tables[kind].copy,
                                     buf_slice(&apply->bytes), error);
}

/* changed: columns of any of them. */
static enum err update_staged(struct apply *apply, enum row_kind kind, uint32_t count,
                              uint64_t changed, struct error *error)
{
    const struct statements_table *sql = &apply->statements.tables[kind];
    bool has_facets = kind == ROW_OBSERVATION && (changed & FACETS_COLUMNS) != 0;
    enum err err = session_copy(apply->session, sql->copy_staging, buf_slice(&apply->bytes), error);
    PGresult *result = NULL;
    if (err == ERR_OK && has_facets) {
        err = facets_add_staged(apply->session, -1, error);
    }
    if (err == ERR_OK) {
        err = session_query(apply->session, sql->update, NULL, &result, error);
    }
    if (err == ERR_OK && has_facets) {
        err = facets_add_staged(apply->session, 1, error);
    }
    if (err == ERR_OK && strtoul(PQcmdTuples(result), NULL, 10) != count) {
        err = error_set(error, ERR_CONFLICT, "rows to be changed have gone");
    }
    PQclear(result);
    /* A later call in this transaction must not find them again. */
    return err == ERR_OK ? session_query(apply->session, sql->clear_staging, NULL, NULL, error)
                         : err;
}

static enum err update_known(struct apply *apply, enum row_kind kind, struct entries *entries,
                             struct error *error)
{
    uint32_t count = 0;
    uint64_t changed = 0;
    buf_reset(&apply->bytes);
    copy_begin(&apply->bytes);
    for (uint32_t i = 0; i < entries->count; i++) {
        struct entry *entry = &entries->all[i];
        if (entry->is_changed) {
            changed |= entry->changed;
            enum err err =
                copy_change(&apply->bytes, entry->stored, entry->changed, &apply->arena, error);
            if (err != ERR_OK) {
                return err;
            }
            count++;
        }
    }
    copy_end(&apply->bytes);
    return count == 0 ? ERR_OK : update_staged(apply, kind, count, changed, error);
}

static int64_t trace_time(const struct entry *entry)
{
    const struct merged *merged = entry->stored != NULL ? entry->stored : &entry->incoming;
    return merged->values[TRACE_TIMESTAMP].integer;
}

static void book_traces(struct apply *apply, const struct entries *traces)
{
    for (uint32_t i = 0; i < traces->count; i++) {
        const struct entry *entry = &traces->all[i];
        struct slice project = entry->incoming.project;
        if (entry->stored == NULL) {
            books_add(&apply->books, project, trace_time(entry), 1);
        } else if (entry->is_changed) {
            books_add(&apply->books, project, entry->old_timestamp_us, -1);
            books_add(&apply->books, project, trace_time(entry), 1);
        }
    }
}

static void add_time(struct trace_time *times, uint32_t *count, const struct merged *observation)
{
    struct slice id = observation->values[OBSERVATION_TRACE_ID].slice;
    struct trace_time *last = *count > 0 ? &times[*count - 1] : NULL;
    if (last == NULL || !slice_equals(last->id, id) ||
        !slice_equals(last->project, observation->project)) {
        times[(*count)++] = (struct trace_time){.project = observation->project, .id = id};
    }
}

/* An observation changes the day of its trace; one without a trace row is on no day. */
static enum err book_observations(struct apply *apply, const struct entries *traces,
                                  const struct entries *observations, struct error *error)
{
    struct trace_time *times = arena_alloc(&apply->arena, observations->count * sizeof(*times));
    uint32_t count = 0;
    for (uint32_t i = 0; i < observations->count; i++) {
        const struct entry *entry = &observations->all[i];
        if (entry->stored != NULL && !entry->is_changed && !apply->_has_moved) {
            continue;
        }
        if (entry->stored == NULL) {
            books_add_observation(&apply->books, &entry->incoming);
        }
        const struct entry *trace = find_trace(traces, &entry->incoming);
        if (trace != NULL) {
            books_add(&apply->books, entry->incoming.project, trace_time(trace), 0);
        } else {
            add_time(times, &count, &entry->incoming);
        }
    }
    enum err err = lookup_times(apply->session, times, count, error);
    for (uint32_t i = 0; i < count && err == ERR_OK; i++) {
        if (times[i].is_known) {
            books_add(&apply->books, times[i].project, times[i].timestamp_us, 0);
        }
    }
    return err;
}

static void book_scores(struct apply *apply, const struct entries *scores)
{
    for (uint32_t i = 0; i < scores->count; i++) {
        if (scores->all[i].stored == NULL) {
            books_add_scores(&apply->books, scores->all[i].incoming.project, 1);
        }
    }
}

static void count_effects(struct apply *apply, const struct apply_row *rows, uint32_t count,
                          const struct entries entries[ROW_MERGED_KINDS])
{
    for (uint32_t i = 0; i < count; i++) {
        apply->effects.of[rows[i].row->kind][TALLY_MERGED]++;
    }
    for (int kind = 0; kind < ROW_MERGED_KINDS; kind++) {
        uint64_t *effects = apply->effects.of[kind];
        for (uint32_t i = 0; i < entries[kind].count; i++) {
            const struct entry *entry = &entries[kind].all[i];
            enum tally_effect effect = entry->stored == NULL ? TALLY_INSERTED
                                       : entry->is_changed   ? TALLY_CHANGED
                                                             : TALLY_UNCHANGED;
            effects[effect]++;
        }
        effects[TALLY_MERGED] -= entries[kind].count;
    }
}

/* Rows of the kind go to the end; returns how many stand before them. */
static uint32_t set_apart(struct apply_row *rows, uint32_t count, enum row_kind kind)
{
    uint32_t others = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (rows[i].row->kind != kind) {
            struct apply_row row = rows[i];
            rows[i] = rows[others];
            rows[others++] = row;
        }
    }
    return others;
}

/* All observations have their trace afterwards; group->rows may be another array. */
static enum err resolve_strays(struct apply *apply, struct strays_group *group, struct error *error)
{
    enum err err = apply->strays.resolves
                       ? strays_resolve(&apply->strays, apply->session, group, &apply->arena, error)
                       : ERR_OK;
    apply->_has_moved = group->moved;
    apply->effects.made[ROW_TRACE] += group->made;
    return err;
}

static enum err merge_rows(struct apply *apply, struct apply_row *given, uint32_t given_count,
                           struct error *error)
{
    struct entries entries[ROW_MERGED_KINDS];
    struct strays_group group = {.rows = given, .count = given_count};
    arena_reset(&apply->arena);
    books_reset(&apply->books);
    enum err err = resolve_strays(apply, &group, error);
    if (err != ERR_OK) {
        return err;
    }
    struct apply_row *rows = group.rows;
    uint32_t count = group.count;
    sort_rows(rows, count);
    merge_equal_keys(apply, rows, count, entries);
    for (int kind = 0; kind < ROW_MERGED_KINDS && err == ERR_OK; kind++) {
        err = look(apply, &entries[ROW_TRACE], &entries[kind], error);
    }
    if (err == ERR_OK) {
        err = price_observations(apply, &entries[ROW_OBSERVATION], error);
    }
    /* All locks on known rows come before the first insert: see the deadlock rule in commit.h. */
    for (int kind = 0; kind < ROW_MERGED_KINDS && err == ERR_OK; kind++) {
        crash_point("copy_begun");
        err = insert_unknown(apply, (enum row_kind)kind, &entries[kind], error);
    }
    for (int kind = 0; kind < ROW_MERGED_KINDS && err == ERR_OK; kind++) {
        err = update_known(apply, (enum row_kind)kind, &entries[kind], error);
    }
    if (err == ERR_OK) {
        book_traces(apply, &entries[ROW_TRACE]);
        book_scores(apply, &entries[ROW_SCORE]);
        err = book_observations(apply, &entries[ROW_TRACE], &entries[ROW_OBSERVATION], error);
    }
    if (err == ERR_OK) {
        err = books_write(&apply->books, apply->session, error);
    }
    if (err == ERR_OK) {
        count_effects(apply, rows, count, entries);
    }
    return err;
}

enum err apply_rows(struct apply *apply, struct apply_row *rows, uint32_t count,
                    struct error *error)
{
    uint32_t stays = set_apart(rows, count, ROW_DELETION);
    uint32_t models = set_apart(rows, stays, ROW_MODEL);
    uint32_t merged = set_apart(rows, models, ROW_METRIC);
    enum err err = merged > 0 ? merge_rows(apply, rows, merged, error) : ERR_OK;
    if (err == ERR_OK) {
        err = points_write(&apply->points, rows + merged, models - merged, error);
    }
    if (models < count) {
        models_change(&apply->models);
    }
    if (err == ERR_OK) {
        apply->effects.of[ROW_METRIC][TALLY_INSERTED] += models - merged;
        err = model_rows_write(apply->session, rows + models, stays - models, error);
    }
    if (err == ERR_OK) {
        apply->effects.of[ROW_MODEL][TALLY_INSERTED] += stays - models;
        err = deletions_write(apply->session, rows + stays, count - stays, &apply->effects, error);
    }
    return err;
}
