#include "writer/strays.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "writer/apply.h"
#include "writer/array.h"

static const char sql_look[] =
    "SELECT EXISTS (SELECT FROM unnest($1::text[], $2::text[]) AS k(p, i)"
    " JOIN stray_observations s ON s.project_id = k.p AND s.id = k.i)";

static const char sql_move[] = "SELECT xtrace_move_strays($1::text[], $2::text[], $3::text[])";

/* Where several traces have an observation of that id, the first. The project is no condition that an index
 * could take: before a table is analyzed, the planner would rather read all of a project in the primary key. */
static const char sql_find[] =
    "SELECT k.n, min(o.trace_id), bool_or(s.id IS NOT NULL)"
    " FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS k(p, i, n)"
    " JOIN observations o ON o.id = k.i AND o.project_id || '' = k.p"
    " LEFT JOIN stray_observations s ON s.project_id = k.p AND s.id = k.i GROUP BY k.n";

static const char sql_remember[] = "INSERT INTO stray_observations (project_id, id)"
                                   " SELECT * FROM unnest($1::text[], $2::text[])"
                                   " ON CONFLICT DO NOTHING";

/* An id of strays in the group. */
struct key {
    struct slice project;
    struct slice id;
    struct slice trace; /* empty: not known yet */
    bool is_own;        /* the trace is the one of its own id, for want of another */
};

struct keys {
    struct key *all; /* sorted */
    uint32_t count;
};

static struct slice id_of(const struct apply_row *row)
{
    return row->row->values[OBSERVATION_ID].slice;
}

static struct slice trace_of(const struct apply_row *row)
{
    return row->row->values[OBSERVATION_TRACE_ID].slice;
}

static bool names_trace(const struct apply_row *row)
{
    return row->row->kind == ROW_OBSERVATION && !strays_is_one(row->row);
}

/* ---- parameters ---- */

enum { COLUMNS_MAX = 3 };

/* Text columns of equal length. */
struct columns {
    struct buf bufs[COLUMNS_MAX];
    uint32_t count;
};

static void columns_begin(struct columns *columns, uint32_t count, uint32_t rows)
{
    *columns = (struct columns){.count = count};
    for (uint32_t i = 0; i < count; i++) {
        array_begin(&columns->bufs[i], OID_TEXT, rows);
    }
}

/* Runs the statement and frees the columns. */
static enum err columns_query(struct columns *columns, struct session *session, const char *sql,
                              PGresult **out, struct error *error)
{
    struct session_parameters parameters = {.count = columns->count};
    for (uint32_t i = 0; i < columns->count; i++) {
        parameters.values[i] = buf_slice(&columns->bufs[i]);
    }
    enum err err = session_query(session, sql, &parameters, out, error);
    for (uint32_t i = 0; i < columns->count; i++) {
        buf_finish(&columns->bufs[i]);
    }
    return err;
}

static int64_t read_int64(const PGresult *result, int row, int column)
{
    uint64_t value;
    assert(PQgetlength(result, row, column) == (int)sizeof(value));
    memcpy(&value, PQgetvalue(result, row, column), sizeof(value));
    return (int64_t)be64toh(value);
}

/* ---- what names the trace of a remembered one ---- */

/* Bands of one event, and events of one observation, follow each other: once is enough. */
static bool repeats(const struct apply_row *rows, uint32_t at)
{
    return at > 0 && names_trace(&rows[at - 1]) &&
           slice_equals(id_of(&rows[at]), id_of(&rows[at - 1])) &&
           slice_equals(trace_of(&rows[at]), trace_of(&rows[at - 1])) &&
           slice_equals(rows[at].project, rows[at - 1].project);
}

/* Those that name a trace; how many there are. */
static uint32_t put_namings(struct columns *columns, const struct apply_row *rows, uint32_t count,
                            uint32_t column_count)
{
    uint32_t namings = 0;
    for (uint32_t i = 0; i < count; i++) {
        namings += names_trace(&rows[i]) && !repeats(rows, i);
    }
    columns_begin(columns, column_count, namings);
    for (uint32_t i = 0; i < count; i++) {
        if (names_trace(&rows[i]) && !repeats(rows, i)) {
            array_add_slice(&columns->bufs[0], rows[i].project);
            array_add_slice(&columns->bufs[1], id_of(&rows[i]));
            if (column_count == COLUMNS_MAX) {
                array_add_slice(&columns->bufs[2], trace_of(&rows[i]));
            }
        }
    }
    return namings;
}

enum err strays_look(struct session *session, const struct apply_row *rows, uint32_t count,
                     bool *meets, struct error *error)
{
    struct columns columns;
    PGresult *result = NULL;
    (void)put_namings(&columns, rows, count, 2);
    enum err err = columns_query(&columns, session, sql_look, &result, error);
    *meets = err == ERR_OK && PQgetvalue(result, 0, 0)[0] != 0;
    PQclear(result);
    return err;
}

static enum err move(struct session *session, struct strays_group *group, struct error *error)
{
    struct columns columns;
    PGresult *result = NULL;
    (void)put_namings(&columns, group->rows, group->count, 3);
    enum err err = columns_query(&columns, session, sql_move, &result, error);
    group->moved = err == ERR_OK && read_int64(result, 0, 0) > 0;
    PQclear(result);
    return err;
}

/* ---- whose trace it is ---- */

static int compare_keys(const void *left, const void *right)
{
    const struct key *a = left;
    const struct key *b = right;
    int order = slice_compare(a->project, b->project);
    return order != 0 ? order : slice_compare(a->id, b->id);
}

static struct keys gather(const struct strays_group *group, struct arena *arena)
{
    struct keys keys = {arena_alloc(arena, group->count * sizeof(struct key)), 0};
    uint32_t distinct = 0;
    for (uint32_t i = 0; i < group->count; i++) {
        if (strays_is_one(group->rows[i].row)) {
            keys.all[keys.count++] =
                (struct key){.project = group->rows[i].project, .id = id_of(&group->rows[i])};
        }
    }
    if (keys.count > 1) {
        qsort(keys.all, keys.count, sizeof(*keys.all), compare_keys);
    }
    for (uint32_t i = 0; i < keys.count; i++) {
        if (distinct == 0 || compare_keys(&keys.all[distinct - 1], &keys.all[i]) != 0) {
            keys.all[distinct++] = keys.all[i];
        }
    }
    keys.count = distinct;
    return keys;
}

static struct key *find_key(const struct keys *keys, const struct apply_row *row)
{
    struct key wanted = {.project = row->project, .id = id_of(row)};
    return bsearch(&wanted, keys->all, keys->count, sizeof(wanted), compare_keys);
}

static void ask_group(const struct strays_group *group, const struct keys *keys)
{
    for (uint32_t i = 0; i < group->count; i++) {
        struct key *key = names_trace(&group->rows[i]) ? find_key(keys, &group->rows[i]) : NULL;
        if (key != NULL) {
            struct slice trace = trace_of(&group->rows[i]);
            bool is_first = key->trace.len == 0 || slice_compare(trace, key->trace) < 0;
            key->trace = is_first ? trace : key->trace;
        }
    }
}

/* Keys without a trace as columns; place[n] is the nth one's. */
static uint32_t put_unknown(struct columns *columns, const struct keys *keys, uint32_t *place)
{
    uint32_t unknown = 0;
    for (uint32_t i = 0; i < keys->count; i++) {
        if (keys->all[i].trace.len == 0) {
            place[unknown++] = i;
        }
    }
    columns_begin(columns, 2, unknown);
    for (uint32_t i = 0; i < unknown; i++) {
        array_add_slice(&columns->bufs[0], keys->all[place[i]].project);
        array_add_slice(&columns->bufs[1], keys->all[place[i]].id);
    }
    return unknown;
}

static enum err ask_table(struct session *session, const struct keys *keys, struct arena *arena,
                          struct error *error)
{
    uint32_t *place = arena_alloc(arena, keys->count * sizeof(*place));
    struct columns columns;
    PGresult *result = NULL;
    (void)put_unknown(&columns, keys, place);
    enum err err = columns_query(&columns, session, sql_find, &result, error);
    for (int row = 0; err == ERR_OK && row < PQntuples(result); row++) {
        struct key *key = &keys->all[place[read_int64(result, row, 0) - 1]];
        struct slice trace = {PQgetvalue(result, row, 1), (size_t)PQgetlength(result, row, 1)};
        key->trace = arena_copy(arena, trace);
        key->is_own = PQgetvalue(result, row, 2)[0] != 0;
    }
    PQclear(result);
    return err;
}

static enum err remember(struct session *session, const struct keys *keys, struct arena *arena,
                         struct error *error)
{
    uint32_t *place = arena_alloc(arena, keys->count * sizeof(*place));
    struct columns columns;
    uint32_t unknown = put_unknown(&columns, keys, place);
    for (uint32_t i = 0; i < unknown; i++) {
        struct key *key = &keys->all[place[i]];
        key->trace = key->id;
        key->is_own = true;
    }
    return columns_query(&columns, session, sql_remember, NULL, error);
}

/* ---- rows ---- */

/* Of the trace that is made for a stray: its start and environment, as the gateway makes bare ones. */
static const struct row *make_bare(const struct row *stray, struct slice trace, struct arena *arena)
{
    struct row *bare = arena_alloc(arena, sizeof(*bare));
    bare->kind = ROW_TRACE;
    bare->version = version_weak(stray->values[OBSERVATION_START_TIME].integer);
    bare->present = 0;
    row_set_slice(bare, TRACE_ID, trace);
    row_set_integer(bare, TRACE_TIMESTAMP, stray->values[OBSERVATION_START_TIME].integer);
    if (row_has(stray, OBSERVATION_ENVIRONMENT)) {
        row_set_slice(bare, TRACE_ENVIRONMENT, stray->values[OBSERVATION_ENVIRONMENT].slice);
    }
    return bare;
}

static const struct row *with_trace(const struct row *stray, struct slice trace,
                                    struct arena *arena)
{
    struct row *row = arena_alloc(arena, sizeof(*row));
    *row = *stray;
    row_set_slice(row, OBSERVATION_TRACE_ID, trace);
    return row;
}

static void set_traces(struct strays_group *group, const struct keys *keys, struct arena *arena)
{
    uint32_t given = group->count;
    struct apply_row *rows = arena_alloc(arena, 2 * (size_t)given * sizeof(*rows));
    memcpy(rows, group->rows, given * sizeof(*rows));
    group->rows = rows;
    for (uint32_t i = 0; i < given; i++) {
        const struct row *row = rows[i].row;
        if (!strays_is_one(row)) {
            continue;
        }
        const struct key *key = find_key(keys, &rows[i]);
        rows[i].row = with_trace(row, key->trace, arena);
        if (key->is_own && row_has(row, OBSERVATION_START_TIME)) {
            rows[group->count] = rows[i];
            rows[group->count++].row = make_bare(row, key->trace, arena);
        }
    }
    group->made = group->count - given;
}

enum err strays_resolve(struct strays *strays, struct session *session, struct strays_group *group,
                        struct arena *arena, struct error *error)
{
    enum err err = strays->are_known ? move(session, group, error) : ERR_OK;
    struct keys keys = gather(group, arena);
    if (err != ERR_OK || keys.count == 0) {
        return err;
    }
    ask_group(group, &keys);
    err = ask_table(session, &keys, arena, error);
    if (err == ERR_OK) {
        err = remember(session, &keys, arena, error);
    }
    if (err == ERR_OK) {
        strays->are_known = true; /* for what follows in this transaction */
        set_traces(group, &keys, arena);
    }
    return err;
}
