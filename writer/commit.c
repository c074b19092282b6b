#include "writer/commit.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/crash.h"
#include "writer/array.h"
#include "writer/deletions.h"
#include "writer/quarantine.h"
#include "writer/tally.h"

static const char sql_begin[] =
    "INSERT INTO ingest_batches (batch_id) SELECT unnest($1::uuid[])"
    " ON CONFLICT DO NOTHING"
    " RETURNING batch_id, " MODELS_SQL_GENERATION ", EXISTS (SELECT FROM stray_observations)";

/* Of two batches with one key the first in the list wins, unless another transaction was faster. */
static const char sql_keys[] = "INSERT INTO idempotency_keys (project_id, key_hash, batch_id)"
                               " SELECT * FROM unnest($1::text[], $2::bytea[], $3::uuid[])"
                               " ON CONFLICT DO NOTHING RETURNING batch_id";

void commit_init(struct commit *commit, struct session *session, struct tally *tally)
{
    *commit = (struct commit){.session = session, .tally = tally, .bytes = BUF_EMPTY};
    apply_init(&commit->apply, session);
}

void commit_finish(struct commit *commit)
{
    apply_finish(&commit->apply);
    buf_finish(&commit->bytes);
    free(commit->rows);
}

enum err commit_connect(struct commit *commit, struct error *error)
{
    enum err err = session_open(commit->session, error);
    tally_connect(commit->tally, err == ERR_OK);
    return err == ERR_OK ? apply_prepare(&commit->apply, error) : err;
}

static int compare_parcels(const void *a, const void *b)
{
    const struct parcel *left = *(struct parcel *const *)a;
    const struct parcel *right = *(struct parcel *const *)b;
    return memcmp(left->header.id, right->header.id, ID_SIZE);
}

static int compare_id(const void *key, const void *element)
{
    const struct parcel *parcel = *(struct parcel *const *)element;
    return memcmp(key, parcel->header.id, ID_SIZE);
}

/* result: batch ids, or NULL. */
static void mark_new(const PGresult *result, struct parcel **parcels, uint32_t count, bool *is_new)
{
    for (int row = 0; row < PQntuples(result); row++) {
        struct parcel **found = bsearch(PQgetvalue(result, row, 0), parcels, count,
                                        sizeof(struct parcel *), compare_id);
        if (found != NULL) {
            is_new[found - parcels] = true;
        }
    }
}

/* Without a row nothing is new: nothing will be priced, and no stray be found its trace. */
static void learn_of_others(struct commit *commit, const PGresult *result)
{
    commit->apply.strays = (struct strays){0};
    if (PQntuples(result) > 0) {
        struct slice generation = {PQgetvalue(result, 0, 1), (size_t)PQgetlength(result, 0, 1)};
        models_begin(&commit->apply.models, generation);
        commit->apply.strays.are_known = PQgetvalue(result, 0, 2)[0] != 0;
    }
}

static enum err insert_ids(struct commit *commit, struct parcel **parcels, uint32_t count,
                           bool *is_new, struct error *error)
{
    buf_reset(&commit->bytes);
    array_begin(&commit->bytes, OID_UUID, count);
    for (uint32_t i = 0; i < count; i++) {
        array_add_slice(&commit->bytes,
                        (struct slice){(const char *)parcels[i]->header.id, ID_SIZE});
        is_new[i] = false;
    }
    struct session_parameters parameters = {.values = {buf_slice(&commit->bytes)}, .count = 1};
    PGresult *result = NULL;
    enum err err = session_query(commit->session, sql_begin, &parameters, &result, error);
    if (err == ERR_OK) {
        mark_new(result, parcels, count, is_new);
        learn_of_others(commit, result);
    }
    PQclear(result);
    return err;
}

static int compare_batch_keys(const void *a, const void *b)
{
    const struct batch_header *left = &(*(struct parcel *const *)a)->header;
    const struct batch_header *right = &(*(struct parcel *const *)b)->header;
    int order = slice_compare(left->project, right->project);
    return order != 0 ? order : slice_compare(left->key, right->key);
}

/* Those that are new and have a key, in key order. */
static struct parcel **take_keyed(struct parcel **parcels, uint32_t count, const bool *is_new,
                                  uint32_t *keyed_count)
{
    struct parcel **keyed = memory_alloc(count * sizeof(struct parcel *));
    *keyed_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (is_new[i] && parcels[i]->header.key.len > 0) {
            keyed[(*keyed_count)++] = parcels[i];
        }
    }
    if (*keyed_count > 1) {
        qsort(keyed, *keyed_count, sizeof(struct parcel *), compare_batch_keys);
    }
    return keyed;
}

static enum err run_keys(struct commit *commit, struct parcel **keyed, uint32_t count,
                         PGresult **result, struct error *error)
{
    struct buf bufs[3] = {BUF_EMPTY, BUF_EMPTY, BUF_EMPTY};
    array_begin(&bufs[0], OID_TEXT, count);
    array_begin(&bufs[1], OID_BYTEA, count);
    array_begin(&bufs[2], OID_UUID, count);
    for (uint32_t i = 0; i < count; i++) {
        const struct batch_header *header = &keyed[i]->header;
        array_add_slice(&bufs[0], header->project);
        array_add_slice(&bufs[1], header->key);
        array_add_slice(&bufs[2], (struct slice){(const char *)header->id, ID_SIZE});
    }
    struct session_parameters parameters = {
        .values = {buf_slice(&bufs[0]), buf_slice(&bufs[1]), buf_slice(&bufs[2])}, .count = 3};
    enum err err = session_query(commit->session, sql_keys, &parameters, result, error);
    for (int i = 0; i < 3; i++) {
        buf_finish(&bufs[i]);
    }
    return err;
}

/* A batch whose key is known is not new. */
static enum err insert_keys(struct commit *commit, struct parcel **parcels, uint32_t count,
                            bool *is_new, struct error *error)
{
    uint32_t keyed_count;
    struct parcel **keyed = take_keyed(parcels, count, is_new, &keyed_count);
    PGresult *result = NULL;
    enum err err = keyed_count > 0 ? run_keys(commit, keyed, keyed_count, &result, error) : ERR_OK;
    for (uint32_t i = 0; i < count && err == ERR_OK; i++) {
        is_new[i] = is_new[i] && parcels[i]->header.key.len == 0;
    }
    mark_new(result, parcels, count, is_new);
    PQclear(result);
    free(keyed);
    return err;
}

static void make_room(struct commit *commit, uint64_t rows)
{
    if (rows > commit->row_capacity) {
        commit->row_capacity = (uint32_t)(rows + rows / 2);
        commit->rows = memory_resize(commit->rows, commit->row_capacity * sizeof(*commit->rows));
    }
}

static void put_rows(struct apply_row *out, const struct parcel *parcel, uint32_t begin,
                     uint32_t end)
{
    for (uint32_t i = begin; i < end; i++) {
        *out++ = (struct apply_row){.project = parcel->header.project,
                                    .received_us = parcel->header.received_us,
                                    .row = &parcel->rows[i]};
    }
}

/* What metric points need, in transactions of its own. */
static enum err prepare_points(struct commit *commit, struct parcel **parcels, uint32_t count,
                               struct error *error)
{
    uint32_t points = 0;
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t row = 0; row < parcels[i]->header.row_count; row++) {
            if (parcels[i]->rows[row].kind == ROW_METRIC) {
                make_room(commit, points + 1);
                put_rows(commit->rows + points++, parcels[i], row, row + 1);
            }
        }
    }
    return points_prepare(&commit->apply.points, commit->rows, points, error);
}

/* What of a group needs it to run alone. */
struct reasons {
    bool deletion;
    bool stray;
};

static struct reasons look_through(struct parcel **parcels, uint32_t count)
{
    struct reasons reasons = {false, false};
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t at = 0; at < parcels[i]->header.row_count; at++) {
            const struct row *row = &parcels[i]->rows[at];
            reasons.deletion |= row->kind == ROW_DELETION;
            reasons.stray |= strays_is_one(row);
        }
    }
    return reasons;
}

/* The lock comes first: what others have committed under it is seen. */
static enum err begin(struct commit *commit, struct parcel **parcels, uint32_t count, bool alone,
                      bool *is_new, struct error *error)
{
    enum err err = session_exec(commit->session,
                                alone ? deletions_begin_alone : deletions_begin_shared, error);
    return err == ERR_OK ? insert_ids(commit, parcels, count, is_new, error) : err;
}

/* Does one of the group's rows say of a remembered stray to which trace it belongs? */
static enum err look_for_strays(struct commit *commit, struct parcel **parcels, uint32_t count,
                                bool *meets, struct error *error)
{
    uint32_t namings = 0;
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t row = 0; row < parcels[i]->header.row_count; row++) {
            if (parcels[i]->rows[row].kind == ROW_OBSERVATION) {
                make_room(commit, namings + 1);
                put_rows(commit->rows + namings++, parcels[i], row, row + 1);
            }
        }
    }
    *meets = false;
    return namings > 0 ? strays_look(commit->session, commit->rows, namings, meets, error) : ERR_OK;
}

static enum err begin_group(struct commit *commit, struct parcel **parcels, uint32_t count,
                            bool *is_new, struct error *error)
{
    struct reasons reasons = look_through(parcels, count);
    bool alone = reasons.deletion || reasons.stray;
    enum err err = begin(commit, parcels, count, alone, is_new, error);
    if (err == ERR_OK && !alone && commit->apply.strays.are_known) {
        err = look_for_strays(commit, parcels, count, &alone, error);
        if (err == ERR_OK && alone) {
            session_rollback(commit->session);
            err = begin(commit, parcels, count, true, is_new, error);
        }
    }
    commit->apply.strays.resolves = alone && (reasons.stray || commit->apply.strays.are_known);
    return err;
}

enum err commit_begin(struct commit *commit, struct parcel **parcels, uint32_t count, bool *is_new,
                      struct error *error)
{
    if (count > 1) {
        qsort(parcels, count, sizeof(struct parcel *), compare_parcels);
    }
    commit->apply.effects = (struct tally_effects){0};
    enum err err = prepare_points(commit, parcels, count, error);
    if (err == ERR_OK) {
        err = begin_group(commit, parcels, count, is_new, error);
    }
    return err == ERR_OK ? insert_keys(commit, parcels, count, is_new, error) : err;
}

enum err commit_end(struct commit *commit, struct error *error)
{
    int64_t began_us = clock_monotonic_us();
    crash_point("before_commit");
    enum err err = session_commit(commit->session, error);
    crash_point("after_commit");
    if (err == ERR_OK) {
        metric_observe_duration(&commit->tally->commit_time, clock_monotonic_us() - began_us);
        tally_commit(commit->tally, &commit->apply.effects);
    }
    return err;
}

struct apply_row *commit_parcel_rows(struct commit *commit, const struct parcel *parcel,
                                     uint32_t begin, uint32_t end)
{
    make_room(commit, end - begin);
    put_rows(commit->rows, parcel, begin, end);
    return commit->rows;
}

static enum err apply_new(struct commit *commit, struct parcel **parcels, uint32_t count,
                          const bool *is_new, struct error *error)
{
    uint64_t rows = 0;
    for (uint32_t i = 0; i < count; i++) {
        rows += is_new[i] ? parcels[i]->header.row_count : 0;
    }
    make_room(commit, rows);
    uint32_t at = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (is_new[i]) {
            put_rows(commit->rows + at, parcels[i], 0, parcels[i]->header.row_count);
            at += parcels[i]->header.row_count;
        }
    }
    return at == 0 ? ERR_OK : apply_rows(&commit->apply, commit->rows, at, error);
}

static uint32_t take_waiting(struct group *group, uint32_t begin, uint32_t end, struct parcel **out)
{
    uint32_t count = 0;
    for (uint32_t i = begin; i < end; i++) {
        if (group->parcels[i]->state == PARCEL_WAITING) {
            out[count++] = group->parcels[i];
        }
    }
    return count;
}

enum err commit_parcels(struct commit *commit, struct group *group, uint32_t begin, uint32_t end,
                        struct error *error)
{
    struct parcel **parcels = memory_alloc((end - begin) * sizeof(struct parcel *));
    bool *is_new = memory_zalloc(end - begin);
    uint32_t count = take_waiting(group, begin, end, parcels);
    enum err err = ERR_OK;
    if (count == 0) {
        goto done;
    }
    err = commit_begin(commit, parcels, count, is_new, error);
    if (err == ERR_OK) {
        err = apply_new(commit, parcels, count, is_new, error);
    }
    for (uint32_t i = 0; i < count && err == ERR_OK; i++) {
        if (!is_new[i]) {
            err = quarantine_recall(commit->session, parcels[i], &group->arena, error);
        }
    }
    if (err == ERR_OK) {
        err = commit_end(commit, error);
    }
    if (err != ERR_OK) {
        session_rollback(commit->session);
        goto done;
    }
    for (uint32_t i = 0; i < count; i++) {
        parcels[i]->state = is_new[i] ? PARCEL_STORED : PARCEL_DUPLICATE;
        tally_settle(commit->tally, parcels[i]);
    }

done:
    free(parcels);
    free(is_new);
    return err;
}
