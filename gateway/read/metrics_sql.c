/*
 * metrics_sql: pieces of the tables of metrics_views.h, put together.
 *
 * Groups have the columns time, d0, d1, ... and m0, m1, ..., so that nothing in between depends on names.
 */
#include "gateway/read/metrics_sql.h"

#include <assert.h>
#include <string.h>

#include "gateway/read/read.h"

/* --- aggregates ---------------------------------------------------------------------------- */

/* {x} is the measure, {b} the same within bounds. The array becomes bins later, see append_histogram. */
#define SQL_PERCENTILE(fraction) "percentile_cont(" fraction ") WITHIN GROUP (ORDER BY {b}::float8)"

static const char *const forms[METRICS_AGGREGATION_COUNT] = {
    [METRICS_SUM] = "coalesce(sum({b}), 0)",
    [METRICS_AVG] = "avg({b})",
    [METRICS_COUNT] = "count({x})",
    [METRICS_MAX] = "max({x})",
    [METRICS_MIN] = "min({x})",
    [METRICS_P50] = SQL_PERCENTILE("0.5"),
    [METRICS_P75] = SQL_PERCENTILE("0.75"),
    [METRICS_P90] = SQL_PERCENTILE("0.9"),
    [METRICS_P95] = SQL_PERCENTILE("0.95"),
    [METRICS_P99] = SQL_PERCENTILE("0.99"),
    [METRICS_HISTOGRAM] = "array_agg({b}::float8) FILTER (WHERE {x} IS NOT NULL)",
    [METRICS_UNIQ] = "count(DISTINCT {x})",
};

static void append_form(struct buf *sql, const char *form, const char *x, const char *bounded)
{
    for (const char *at = form; *at != '\0'; at++) {
        if (strncmp(at, "{x}", 3) == 0 || strncmp(at, "{b}", 3) == 0) {
            buf_printf(sql, "(%s)", at[1] == 'x' ? x : bounded);
            at += 2;
        } else {
            buf_append_char(sql, *at);
        }
    }
}

static void append_aggregate(struct buf *sql, const struct metrics_metric *metric)
{
    const struct metrics_measure *measure = metric->measure;

    if (measure->kind != METRICS_DISTINCT) {
        append_form(sql, forms[metric->aggregation], measure->sql,
                    measure->bounded_sql != NULL ? measure->bounded_sql : measure->sql);
    } else if (metric->aggregation == METRICS_HISTOGRAM) {
        buf_printf(sql, "ARRAY[(%s)::float8]", measure->sql);
    } else {
        buf_append_text(sql, measure->sql);
    }
}

static bool is_counting(const struct metrics_metric *metric)
{
    return metric->measure->kind == METRICS_DISTINCT || metric->aggregation == METRICS_SUM ||
           metric->aggregation == METRICS_COUNT || metric->aggregation == METRICS_UNIQ;
}

/* --- joins and filters --------------------------------------------------------------------- */

struct columns {
    struct filter_column of[FILTER_COLUMNS_MAX];
    unsigned joins[FILTER_COLUMNS_MAX];
    size_t count;
};

static void add_columns(struct columns *columns, const struct metrics_dimension *dimension)
{
    for (; dimension->name != NULL; dimension++) {
        assert(columns->count < FILTER_COLUMNS_MAX);
        columns->of[columns->count] = (struct filter_column){
            dimension->name, dimension->type,
            dimension->filter_sql != NULL ? dimension->filter_sql : dimension->sql};
        columns->joins[columns->count++] = dimension->joins;
    }
}

static enum err append_filters(struct read *read, const struct metrics_request *request,
                               struct buf *conditions, unsigned *joins, struct error *error)
{
    struct columns columns = {.count = 0};
    uint64_t mask;

    add_columns(&columns, request->view->dimensions);
    add_columns(&columns, request->view->filters);
    enum err err =
        filter_append(read, request->filters, columns.of, columns.count, conditions, &mask, error);
    for (size_t i = 0; err == ERR_OK && i < columns.count; i++) {
        *joins |= (mask >> i & 1) != 0 ? columns.joins[i] : 0;
    }
    return err;
}

static unsigned needed_joins(const struct metrics_request *request)
{
    unsigned joins = 0;

    for (size_t i = 0; i < request->dimension_count; i++) {
        joins |= request->dimensions[i]->joins;
    }
    for (size_t i = 0; i < request->metric_count; i++) {
        joins |= request->metrics[i].measure->joins;
    }
    return joins;
}

/* --- groups -------------------------------------------------------------------------------- */

static bool has_time(const struct metrics_request *request)
{
    return request->granularity != METRICS_NO_TIME;
}

static void append_group_columns(struct buf *sql, const struct metrics_request *request)
{
    if (has_time(request)) {
        buf_printf(sql, "date_trunc('%s', %s) AS time, ", metrics_unit(request->granularity),
                   request->view->time);
    }
    for (size_t i = 0; i < request->dimension_count; i++) {
        buf_printf(sql, "%s AS d%zu, ", request->dimensions[i]->sql, i);
    }
    for (size_t i = 0; i < request->metric_count; i++) {
        buf_append_text(sql, i > 0 ? ", " : "");
        append_aggregate(sql, &request->metrics[i]);
        buf_printf(sql, " AS m%zu", i);
    }
}

/* The range is $2, $3. */
static void append_conditions(struct buf *sql, const struct metrics_view *view,
                              struct slice conditions)
{
    buf_printf(sql,
               " WHERE %c.project_id = $1 AND %s >= $2::timestamptz AND %s <= $3::timestamptz%s",
               view->row, view->time, view->time, view->condition);
    buf_append_slice(sql, conditions);
}

/* The rows that the query is about, with the joins that its filters need, which are of one row at most. */
static void append_rows(struct buf *sql, const struct metrics_view *view, unsigned filter_joins,
                        struct slice conditions)
{
    buf_printf(sql, "FROM %s", view->from);
    for (unsigned join = 1; join < METRICS_JOIN_END; join *= 2) {
        buf_append_text(sql, (filter_joins & join) != 0 ? view->join_sql[join] : "");
    }
    append_conditions(sql, view, conditions);
}

static void append_join(struct buf *sql, const struct metrics_view *view, const char *join,
                        unsigned filter_joins, struct slice conditions)
{
    for (const char *at = join; *at != '\0'; at++) {
        if (strncmp(at, "{rows}", 6) == 0) {
            append_rows(sql, view, filter_joins, conditions);
            at += 5;
        } else {
            buf_append_char(sql, *at);
        }
    }
}

static void append_groups(struct buf *sql, const struct metrics_request *request,
                          unsigned filter_joins, struct slice conditions)
{
    const struct metrics_view *view = request->view;
    unsigned joins = needed_joins(request) | filter_joins;
    size_t keys = request->dimension_count + has_time(request);

    buf_append_text(sql, "WITH groups AS MATERIALIZED (SELECT ");
    append_group_columns(sql, request);
    buf_printf(sql, " FROM %s", view->from);
    for (unsigned join = 1; join < METRICS_JOIN_END; join *= 2) {
        if ((joins & join) != 0) {
            append_join(sql, view, view->join_sql[join], filter_joins, conditions);
        }
    }
    append_conditions(sql, view, conditions);
    for (size_t i = 0; i < keys; i++) {
        buf_printf(sql, "%s%zu", i == 0 ? " GROUP BY " : ", ", i + 1);
    }
    buf_append_text(sql, ")");
}

static void append_filled(struct buf *sql, const struct metrics_request *request)
{
    const char *unit = metrics_unit(request->granularity);

    buf_append_text(sql, ", rows AS (SELECT * FROM groups UNION ALL SELECT b.time");
    for (size_t i = 0; i < request->dimension_count; i++) {
        buf_append_text(sql, ", NULL");
    }
    for (size_t i = 0; i < request->metric_count; i++) {
        const struct metrics_metric *metric = &request->metrics[i];
        bool is_zero = is_counting(metric) && metric->aggregation != METRICS_HISTOGRAM;
        buf_append_text(sql, is_zero ? ", 0" : ", NULL");
    }
    buf_printf(sql,
               " FROM generate_series(date_trunc('%s', $2::timestamptz),"
               " $3::timestamptz - interval '1 microsecond', interval '1 %s') AS b(time)"
               " WHERE NOT EXISTS (SELECT FROM groups g WHERE g.time = b.time))",
               unit, unit);
}

/* --- the answer ---------------------------------------------------------------------------- */

/* Bins of one width from the least value to the greatest; where all are equal, one bin. */
static const char sql_histogram[] =
    "(SELECT coalesce(json_agg(json_build_array(h.low + h.width * (i - 1),"
    " CASE WHEN i = h.bins THEN h.high ELSE h.low + h.width * i END,"
    " coalesce((h.heights ->> i::text)::bigint, 0)) ORDER BY i), '[]')"
    " FROM (SELECT e.low, e.high, e.bins, (e.high - e.low) / e.bins AS width,"
    "  (SELECT jsonb_object_agg(c.bin, c.count) FROM (SELECT CASE WHEN e.bins = 1 THEN 1"
    "   ELSE least(width_bucket(v, e.low, e.high, e.bins), e.bins) END AS bin, count(*) AS count"
    "   FROM unnest({x}) AS v GROUP BY 1) c) AS heights"
    "  FROM (SELECT min(v) AS low, max(v) AS high,"
    "   CASE WHEN min(v) < max(v) THEN {bins}::integer ELSE 1 END AS bins"
    "   FROM unnest({x}) AS v HAVING count(*) > 0) e OFFSET 0) h,"
    " generate_series(1, h.bins) AS i)";

/* bins: the number of the bound value. */
static void append_histogram(struct buf *sql, size_t metric, int bins)
{
    for (const char *at = sql_histogram; *at != '\0'; at++) {
        if (strncmp(at, "{x}", 3) == 0) {
            buf_printf(sql, "g.m%zu", metric);
            at += 2;
        } else if (strncmp(at, "{bins}", 6) == 0) {
            buf_printf(sql, "$%d", bins);
            at += 5;
        } else {
            buf_append_char(sql, *at);
        }
    }
}

#define SQL_BUCKET_TIME "to_char(g.time, 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"

static void append_members(struct buf *sql, struct read *read,
                           const struct metrics_request *request)
{
    const char *comma = "";
    int bins = 0;

    if (has_time(request)) {
        buf_append_text(sql, "'time_dimension', " SQL_BUCKET_TIME);
        comma = ", ";
    }
    for (size_t i = 0; i < request->dimension_count; i++) {
        buf_printf(sql, "%s'%s', g.d%zu", comma, request->dimensions[i]->name, i);
        comma = ", ";
    }
    for (size_t i = 0; i < request->metric_count; i++) {
        const struct metrics_metric *metric = &request->metrics[i];
        buf_printf(sql, "%s'%s_%s', ", comma, metrics_aggregation_names[metric->aggregation],
                   metric->measure->name);
        comma = ", ";
        if (metric->aggregation != METRICS_HISTOGRAM) {
            buf_printf(sql, "g.m%zu", i);
            continue;
        }
        if (bins == 0) {
            read_bind_integer(read, request->bins);
            bins = read->value_count;
        }
        append_histogram(sql, i, bins);
    }
}

static void append_key(struct buf *sql, bool is_first, const char *column, size_t index,
                       bool is_descending)
{
    buf_append_text(sql, is_first ? " ORDER BY " : ", ");
    if (column[0] == 't') {
        buf_append_text(sql, "g.time");
    } else {
        buf_printf(sql, "g.%s%zu", column, index);
    }
    buf_append_text(sql, is_descending ? " DESC NULLS LAST" : " ASC NULLS LAST");
}

static void append_order(struct buf *sql, const struct metrics_request *request)
{
    static const char *const columns[] = {
        [METRICS_BY_TIME] = "time", [METRICS_BY_DIMENSION] = "d", [METRICS_BY_METRIC] = "m"};

    size_t keys = 0;
    for (size_t i = 0; i < request->order_count; i++) {
        append_key(sql, keys++ == 0, columns[request->orders[i].by], request->orders[i].index,
                   request->orders[i].is_descending);
    }
    if (has_time(request)) {
        append_key(sql, keys++ == 0, "time", 0, false);
    }
    if (request->order_count == 0 && request->metrics[0].aggregation != METRICS_HISTOGRAM) {
        append_key(sql, keys++ == 0, "m", 0, true);
    }
    for (size_t i = 0; i < request->dimension_count; i++) {
        append_key(sql, keys++ == 0, "d", i, false);
    }
}

enum err metrics_sql(struct read *read, const struct metrics_request *request, struct buf *sql,
                     struct error *error)
{
    struct buf conditions = BUF_EMPTY;
    unsigned filter_joins = 0;

    read_bind_time(read, (struct param_time){true, request->from_us});
    read_bind_time(read, (struct param_time){true, request->to_us});
    enum err err = append_filters(read, request, &conditions, &filter_joins, error);
    if (err == ERR_OK) {
        append_groups(sql, request, filter_joins, buf_slice(&conditions));
        if (request->is_filled) {
            append_filled(sql, request);
        }
        buf_append_text(sql, " SELECT json_build_object(");
        append_members(sql, read, request);
        buf_printf(sql, ") AS row, NULL::json AS meta FROM %s g",
                   request->is_filled ? "rows" : "groups");
        append_order(sql, request);
        if (request->row_limit > 0) {
            read_bind_integer(read, request->row_limit);
            buf_printf(sql, " LIMIT $%d::bigint", read->value_count);
        }
    }
    buf_finish(&conditions);
    return err;
}
