#include "writer/deletions.h"

#include <endian.h>
#include <string.h>

#include "writer/apply.h"
#include "writer/array.h"

/* The key is that of xtrace_lock_traces() (migrations/0004_deletions.sql). */
const char deletions_begin_shared[] = "BEGIN; SELECT pg_advisory_xact_lock_shared(132347298702185)";
const char deletions_begin_alone[] = "BEGIN; SELECT pg_advisory_xact_lock(132347298702185)";

static const char sql_traces[] = "SELECT xtrace_delete_traces($1::text[], $2::text[])";
static const char sql_scores[] =
    "WITH gone AS (DELETE FROM scores s USING"
    " (SELECT DISTINCT p, i FROM unnest($1::text[], $2::text[]) AS w(p, i)) w"
    " WHERE s.project_id = w.p AND s.id = w.i RETURNING s.project_id),"
    " counted AS (INSERT INTO score_counts (project_id, scores)"
    "  SELECT project_id, -count(*) FROM gone GROUP BY project_id)"
    " SELECT count(*) FROM gone";

/* The row stays, for what it priced can still be explained. Built-in ones are nobody's. */
static const char sql_models[] =
    "WITH gone AS (UPDATE models m SET deleted_at = now(), updated_at = now() FROM"
    " (SELECT DISTINCT p, i FROM unnest($1::text[], $2::text[]) AS w(p, i)) w"
    " WHERE m.project_id = w.p AND m.id = w.i AND m.project_id <> '' AND m.deleted_at IS NULL"
    " RETURNING 1)"
    " SELECT count(*) FROM gone";

static bool has_target(const struct apply_row *row, const char *target)
{
    return slice_is(row->row->values[DELETION_TARGET].slice, target);
}

/* Adds how many there were to *gone. */
static enum err delete_all(struct session *session, const char *sql, const char *target,
                           const struct apply_row *rows, uint32_t count, uint64_t *gone,
                           struct error *error)
{
    uint32_t wanted = 0;
    for (uint32_t i = 0; i < count; i++) {
        wanted += has_target(&rows[i], target);
    }
    if (wanted == 0) {
        return ERR_OK;
    }
    struct buf bufs[2] = {BUF_EMPTY, BUF_EMPTY};
    array_begin(&bufs[0], OID_TEXT, wanted);
    array_begin(&bufs[1], OID_TEXT, wanted);
    for (uint32_t i = 0; i < count; i++) {
        if (has_target(&rows[i], target)) {
            array_add_slice(&bufs[0], rows[i].project);
            array_add_slice(&bufs[1], rows[i].row->values[DELETION_ID].slice);
        }
    }
    struct session_parameters parameters = {.values = {buf_slice(&bufs[0]), buf_slice(&bufs[1])},
                                            .count = 2};
    PGresult *result = NULL;
    enum err err = session_query(session, sql, &parameters, &result, error);
    if (err == ERR_OK) {
        uint64_t number;
        memcpy(&number, PQgetvalue(result, 0, 0), sizeof(number));
        *gone += be64toh(number);
    }
    PQclear(result);
    buf_finish(&bufs[0]);
    buf_finish(&bufs[1]);
    return err;
}

enum err deletions_write(struct session *session, const struct apply_row *rows, uint32_t count,
                         struct tally_effects *effects, struct error *error)
{
    uint64_t gone = 0;
    enum err err = delete_all(session, sql_traces, "trace", rows, count, &gone, error);
    if (err == ERR_OK) {
        err = delete_all(session, sql_scores, "score", rows, count, &gone, error);
    }
    if (err == ERR_OK) {
        err = delete_all(session, sql_models, "model", rows, count, &gone, error);
    }
    if (err == ERR_OK) {
        /* Several rows may name the same. */
        gone = gone < count ? gone : count;
        effects->of[ROW_DELETION][TALLY_CHANGED] += gone;
        effects->of[ROW_DELETION][TALLY_UNCHANGED] += count - gone;
    }
    return err;
}
