#include "writer/points.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "writer/apply.h"
#include "writer/array.h"
#include "writer/copy.h"

#define DAY_US INT64_C(86400000000)

/* Between 1970-01-01 and 2000-01-01, PostgreSQL's epoch. */
#define EPOCH_US INT64_C(946684800000000)

static const char sql_make_days[] = "SELECT xtrace_make_metric_days($1::date[])";

static const char sql_generation[] = "SELECT xtrace_metric_generation()";

#define SQL_KEYS                                                                                   \
    "unnest($1::text[], $2::text[], $3::text[], $4::text[]) WITH ORDINALITY AS k(p, m, e, l, n)"
#define SQL_HASH "sha256(convert_to(k.l, 'UTF8'))"

static const char sql_find[] =
    "SELECT k.n, s.id FROM " SQL_KEYS " JOIN metric_series s ON s.project_id = k.p"
    " AND s.name = k.m AND s.environment = k.e AND s.labels_hash = " SQL_HASH;

/* In the order of the unique index, so that writers cannot deadlock. */
static const char sql_make[] =
    "INSERT INTO metric_series (project_id, name, environment, labels, labels_hash)"
    " SELECT k.p, k.m, k.e, k.l::jsonb, " SQL_HASH " FROM " SQL_KEYS
    " ORDER BY 1, 2, 3, 5 ON CONFLICT DO NOTHING";

static const char sql_copy[] =
    "COPY metric_points (series_id, ts, value) FROM STDIN (FORMAT binary)";

struct point {
    int64_t series;
    int64_t time_us;
    double value;
};

/* A series that is asked for. */
struct wanted {
    struct series_key key;
    int64_t id; /* 0: not known yet */
};

/* Series of some rows; the arena's. */
struct wanted_list {
    struct wanted *all;
    uint32_t count;
    uint32_t *of_row; /* row -> place in all */
};

void points_init(struct points *points, struct session *session)
{
    *points = (struct points){.session = session, .arena = ARENA_EMPTY, .bytes = BUF_EMPTY};
    series_init(&points->series);
}

void points_finish(struct points *points)
{
    series_finish(&points->series);
    arena_finish(&points->arena);
    buf_finish(&points->bytes);
}

void points_forget(struct points *points)
{
    series_forget(&points->series);
    points->generation[0] = '\0';
    points->days = (struct points_days){{0}};
}

/* ---- days ---- */

static bool has_day(const struct points_days *days, uint32_t day)
{
    return (days->bits[day / 64] >> (day % 64) & 1) != 0;
}

static void add_day(struct points_days *days, uint32_t day)
{
    days->bits[day / 64] |= UINT64_C(1) << (day % 64);
}

/* False: that day needs no partition of its own. */
static bool day_of(const struct row *row, uint32_t *day)
{
    int64_t us = row->values[METRIC_TIMESTAMP].integer - POINTS_DAY_MIN * DAY_US;
    *day = (uint32_t)(us / DAY_US);
    return us >= 0 && us < POINTS_DAYS * DAY_US;
}

static enum err make_days(struct points *points, const struct apply_row *rows, uint32_t count,
                          struct error *error)
{
    struct points_days missing = {{0}};
    uint32_t missing_count = 0;
    uint32_t day;
    for (uint32_t i = 0; i < count; i++) {
        if (day_of(rows[i].row, &day) && !has_day(&points->days, day) && !has_day(&missing, day)) {
            add_day(&missing, day);
            missing_count++;
        }
    }
    if (missing_count == 0) {
        return ERR_OK;
    }
    buf_reset(&points->bytes);
    array_begin(&points->bytes, OID_DATE, missing_count);
    for (day = 0; day < POINTS_DAYS; day++) {
        if (has_day(&missing, day)) {
            array_add_date(&points->bytes, (int32_t)day + POINTS_DAY_MIN);
        }
    }
    struct session_parameters parameters = {.values = {buf_slice(&points->bytes)}, .count = 1};
    enum err err = session_query(points->session, sql_make_days, &parameters, NULL, error);
    for (day = 0; day < POINTS_DAYS && err == ERR_OK; day++) {
        if (has_day(&missing, day)) {
            add_day(&points->days, day);
        }
    }
    return err;
}

/* ---- series ---- */

static struct series_key key_of(const struct apply_row *row)
{
    const struct value *values = row->row->values;
    return (struct series_key){
        .project = row->project,
        .name = values[METRIC_NAME].slice,
        .environment = row_has(row->row, METRIC_ENVIRONMENT) ? values[METRIC_ENVIRONMENT].slice
                                                             : SLICE_LITERAL("default"),
        .labels = values[METRIC_LABELS].slice,
    };
}

static bool is_same(const struct series_key *a, const struct series_key *b)
{
    return slice_equals(a->labels, b->labels) && slice_equals(a->name, b->name) &&
           slice_equals(a->environment, b->environment) && slice_equals(a->project, b->project);
}

static int compare_keys(const void *a, const void *b)
{
    const struct series_key *left = &(*(const struct wanted *const *)a)->key;
    const struct series_key *right = &(*(const struct wanted *const *)b)->key;
    int order = slice_compare(left->project, right->project);
    order = order != 0 ? order : slice_compare(left->name, right->name);
    order = order != 0 ? order : slice_compare(left->environment, right->environment);
    return order != 0 ? order : slice_compare(left->labels, right->labels);
}

/* Rows of one series often stand together; one whose rows do not is in the list several times. */
static struct wanted_list want_series(struct points *points, const struct apply_row *rows,
                                      uint32_t count)
{
    struct wanted_list list = {
        .all = arena_alloc(&points->arena, count * sizeof(struct wanted)),
        .of_row = arena_alloc(&points->arena, count * sizeof(uint32_t)),
    };
    for (uint32_t i = 0; i < count; i++) {
        struct series_key key = key_of(&rows[i]);
        if (list.count == 0 || !is_same(&list.all[list.count - 1].key, &key)) {
            list.all[list.count++] =
                (struct wanted){.key = key, .id = series_find(&points->series, &key)};
        }
        list.of_row[i] = list.count - 1;
    }
    return list;
}

/* Those without an id, in key order. */
static struct wanted **sort_unknown(struct points *points, struct wanted_list *list,
                                    uint32_t *unknown)
{
    struct wanted **sorted = arena_alloc(&points->arena, list->count * sizeof(struct wanted *));
    *unknown = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        if (list->all[i].id == 0) {
            sorted[(*unknown)++] = &list->all[i];
        }
    }
    if (*unknown > 1) {
        qsort(sorted, *unknown, sizeof(struct wanted *), compare_keys);
    }
    return sorted;
}

static struct slice part_of(const struct series_key *key, int part)
{
    const struct slice parts[] = {key->project, key->name, key->environment, key->labels};
    return parts[part];
}

/* Runs sql on the keys that have no id; ids that it answers with are set. */
static enum err run_keys(struct points *points, const char *sql, struct wanted **distinct,
                         uint32_t count, uint32_t *missing, struct error *error)
{
    struct wanted **asked = arena_alloc(&points->arena, count * sizeof(struct wanted *));
    uint32_t asked_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (distinct[i]->id == 0) {
            asked[asked_count++] = distinct[i];
        }
    }
    *missing = asked_count;
    if (asked_count == 0) {
        return ERR_OK;
    }
    struct buf bufs[4] = {BUF_EMPTY, BUF_EMPTY, BUF_EMPTY, BUF_EMPTY};
    struct session_parameters parameters = {.count = 4};
    for (int part = 0; part < 4; part++) {
        array_begin(&bufs[part], OID_TEXT, asked_count);
        for (uint32_t i = 0; i < asked_count; i++) {
            array_add_slice(&bufs[part], part_of(&asked[i]->key, part));
        }
        parameters.values[part] = buf_slice(&bufs[part]);
    }
    PGresult *result = NULL;
    enum err err = session_query(points->session, sql, &parameters, &result, error);
    for (int row = 0; err == ERR_OK && row < PQntuples(result); row++) {
        uint64_t numbers[2];
        memcpy(&numbers[0], PQgetvalue(result, row, 0), sizeof(numbers[0]));
        memcpy(&numbers[1], PQgetvalue(result, row, 1), sizeof(numbers[1]));
        asked[be64toh(numbers[0]) - 1]->id = (int64_t)be64toh(numbers[1]);
        *missing -= 1;
    }
    PQclear(result);
    for (int part = 0; part < 4; part++) {
        buf_finish(&bufs[part]);
    }
    return err;
}

/* Sets every id. is_lasting: there is no transaction that could be rolled back. */
static enum err find_series(struct points *points, struct wanted_list *list, bool is_lasting,
                            struct error *error)
{
    uint32_t unknown, missing;
    struct wanted **sorted = sort_unknown(points, list, &unknown);
    struct wanted **distinct = arena_alloc(&points->arena, unknown * sizeof(struct wanted *));
    uint32_t count = 0;
    for (uint32_t i = 0; i < unknown; i++) {
        if (i == 0 || compare_keys(&sorted[i - 1], &sorted[i]) != 0) {
            distinct[count++] = sorted[i];
        }
    }
    if (count == 0) {
        return ERR_OK;
    }
    enum err err = run_keys(points, sql_find, distinct, count, &missing, error);
    if (err == ERR_OK && missing > 0) {
        err = run_keys(points, sql_make, distinct, count, &missing, error);
    }
    if (err == ERR_OK && missing > 0) {
        /* A statement of its own sees what another writer committed while ours was waiting. */
        err = run_keys(points, sql_find, distinct, count, &missing, error);
    }
    if (err == ERR_OK && missing > 0) {
        err = error_set(error, ERR_CONFLICT, "a metric series has gone again");
    }
    if (err != ERR_OK) {
        return err;
    }
    for (uint32_t i = 0; is_lasting && i < count; i++) {
        series_put(&points->series, &distinct[i]->key, distinct[i]->id);
    }
    for (uint32_t i = 1; i < unknown; i++) {
        if (sorted[i]->id == 0) {
            sorted[i]->id = sorted[i - 1]->id;
        }
    }
    return ERR_OK;
}

/* From here to the end of the transaction nobody takes a series away. */
static enum err check_generation(struct points *points, struct error *error)
{
    PGresult *result = NULL;
    enum err err = session_query(points->session, sql_generation, NULL, &result, error);
    if (err == ERR_OK && (PQntuples(result) != 1 || PQgetisnull(result, 0, 0) != 0)) {
        err = error_set(error, ERR_INTERNAL, "metric_series_state has no row");
    }
    if (err == ERR_OK) {
        struct slice text = {PQgetvalue(result, 0, 0), (size_t)PQgetlength(result, 0, 0)};
        if (!slice_is(text, points->generation)) {
            text.len = text.len < sizeof(points->generation) ? text.len : 0;
            series_forget(&points->series);
            memcpy(points->generation, text.data, text.len);
            points->generation[text.len] = '\0';
        }
    }
    PQclear(result);
    return err;
}

/* ---- the two steps ---- */

static bool is_passing(enum err err)
{
    return err == ERR_UNAVAILABLE || err == ERR_TIMEOUT || err == ERR_CONFLICT;
}

enum err points_prepare(struct points *points, const struct apply_row *rows, uint32_t count,
                        struct error *error)
{
    if (count == 0) {
        return ERR_OK;
    }
    arena_reset(&points->arena);
    enum err err = make_days(points, rows, count, error);
    if (err == ERR_OK && points->generation[0] == '\0') {
        err = check_generation(points, error);
    }
    if (err == ERR_OK) {
        struct wanted_list list = want_series(points, rows, count);
        err = find_series(points, &list, true, error);
    }
    if (err != ERR_OK && !is_passing(err)) {
        log_event(LOG_DEBUG, "metrics not prepared", "error", error->text, NULL);
        err = ERR_OK;
    }
    return err;
}

static int compare_points(const void *a, const void *b)
{
    const struct point *left = a;
    const struct point *right = b;
    if (left->series != right->series) {
        return left->series < right->series ? -1 : 1;
    }
    return (left->time_us > right->time_us) - (left->time_us < right->time_us);
}

static void append_point(struct buf *out, const struct point *point)
{
    uint64_t bits;
    memcpy(&bits, &point->value, sizeof(bits));
    buf_append_be16(out, 3);
    buf_append_be32(out, 8);
    buf_append_be64(out, (uint64_t)point->series);
    buf_append_be32(out, 8);
    buf_append_be64(out, (uint64_t)(point->time_us - EPOCH_US));
    buf_append_be32(out, 8);
    buf_append_be64(out, bits);
}

static enum err copy_points(struct points *points, struct point *all, uint32_t count,
                            struct error *error)
{
    if (count > 1) {
        qsort(all, count, sizeof(*all), compare_points);
    }
    buf_reset(&points->bytes);
    copy_begin(&points->bytes);
    for (uint32_t i = 0; i < count; i++) {
        append_point(&points->bytes, &all[i]);
    }
    copy_end(&points->bytes);
    enum err err = session_copy(points->session, sql_copy, buf_slice(&points->bytes), error);
    if (err == ERR_REFUSED) {
        points->days = (struct points_days){{0}};
    }
    return err;
}

enum err points_write(struct points *points, const struct apply_row *rows, uint32_t count,
                      struct error *error)
{
    if (count == 0) {
        return ERR_OK;
    }
    arena_reset(&points->arena);
    enum err err = check_generation(points, error);
    if (err != ERR_OK) {
        return err;
    }
    struct wanted_list list = want_series(points, rows, count);
    err = find_series(points, &list, false, error);
    if (err != ERR_OK) {
        return err;
    }
    struct point *all = arena_alloc(&points->arena, count * sizeof(*all));
    for (uint32_t i = 0; i < count; i++) {
        const struct value *values = rows[i].row->values;
        all[i] = (struct point){.series = list.all[list.of_row[i]].id,
                                .time_us = values[METRIC_TIMESTAMP].integer,
                                .value = values[METRIC_VALUE].real};
    }
    return copy_points(points, all, count, error);
}
