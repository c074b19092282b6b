/*
 * observations: a page of observations with exact totals, and one observation. SQL, parameters, rows ->
 * JSON.
 *
 * A page finds its keys first and only then fetches what it shows. The number of all observations is in the
 * books (observation_counts), and so is that of each hour, type, level, name, version and environment
 * (gateway/read/observations_facet.h); where there are other conditions, those that meet them are counted: by the
 * index of the trace for traceId, userId and sessionId.
 */
#include "gateway/read/observations.h"

#include <stddef.h>

#include "gateway/read/observations_query.h"
#include "gateway/read/traces_sql.h"

/* Static SQL is longer than what ISO C promises to take. */
#pragma GCC diagnostic ignored "-Woverlength-strings"

/* --- list ---------------------------------------------------------------------------------- */

struct list_params {
    int64_t page;
    int64_t limit;
    struct observations_query query;
};

static const struct param list_table[] = {
    {"page", PARAM_PAGE, offsetof(struct list_params, page)},
    {"limit", PARAM_LIMIT, offsetof(struct list_params, limit)},
    OBSERVATIONS_PARAMS(offsetof(struct list_params, query)),
    {NULL, PARAM_TEXT, 0},
};

/* clang-format off */
#define SQL_COUNT_OF_ALL                                                                           \
    "(SELECT coalesce(sum(observations), 0)::bigint FROM observation_counts WHERE project_id = $1)"

static const char sql_rows[] =
    " SELECT n AS total, NULL::json AS row FROM total UNION ALL (SELECT NULL, " SQL_OBSERVATION " FROM (";
static const char sql_end[] =
    ") p JOIN observations o ON o.project_id = $1 AND o.trace_id = p.trace_id AND o.id = p.id, "
    SQL_OBSERVATION_SUMS " ORDER BY " SQL_NEWEST_KEY_FIRST ")";
/* clang-format on */

enum { DEEP_OFFSET = 1000 }; /* from here on it pays to look for the hour */

/* from: " FROM ... WHERE ...". `total`, how many there are. */
static void append_total(struct buf *sql, struct slice from, enum observations_breadth breadth)
{
    buf_append_text(sql, "WITH total AS MATERIALIZED (SELECT ");
    if (breadth == OBSERVATIONS_ALL) {
        buf_append_text(sql, SQL_COUNT_OF_ALL);
    } else {
        buf_append_text(sql, "(SELECT count(*)");
        buf_append_slice(sql, from);
        buf_append_char(sql, ')');
    }
    buf_append_text(sql, " AS n)");
}

/* A page beyond the end looks at nothing. */
static void append_list(struct slice from, enum observations_breadth breadth, int offset,
                        struct buf *sql)
{
    append_total(sql, from, breadth);
    buf_append_text(sql, sql_rows);
    buf_append_text(sql, "SELECT " SQL_OBSERVATION_KEY);
    buf_append_slice(sql, from);
    buf_printf(sql,
               " AND $%d::bigint < (SELECT n FROM total) ORDER BY " SQL_NEWEST_FIRST
               " LIMIT $%d::bigint OFFSET $%d::bigint",
               offset, offset - 1, offset);
}

static void make_list(struct read *read, struct slice from, const struct observations_scope *scope)
{
    struct buf sql = BUF_EMPTY;

    read_bind_integer(read, read->limit);
    read_bind_offset(read);
    int offset = read->value_count;
    bool is_deep = read->page > DEEP_OFFSET / read->limit;
    if (scope->breadth == OBSERVATIONS_OF_FACET ||
        (scope->breadth == OBSERVATIONS_ALL && is_deep)) {
        observations_facet_begin(&scope->facet, from, offset - 1, offset, &sql);
        buf_append_text(&sql, sql_rows);
        observations_facet_page(from, offset - 1, offset, &sql);
    } else {
        append_list(from, scope->breadth, offset, &sql);
    }
    buf_append_text(&sql, sql_end);
    read_make_sql(read, buf_slice(&sql));
    buf_finish(&sql);
}

static enum err list_bind(struct read *read, const void *typed, struct error *error)
{
    const struct list_params *params = typed;
    struct buf from = BUF_EMPTY;
    struct observations_scope scope;

    read->page = params->page;
    read->limit = params->limit;
    read_bind_text(read, read->request->identity.project);
    enum err err = observations_from(read, &params->query, &from, &scope, error);
    if (err == ERR_OK) {
        make_list(read, buf_slice(&from), &scope);
    }
    buf_finish(&from);
    return err;
}

static const struct read_resource list_resource = {
    .params = list_table,
    .params_size = sizeof(struct list_params),
    .bind = list_bind,
    .format = &read_page_format,
};

void observations_list(struct request *request)
{
    read_run(request, &list_resource);
}

/* --- detail -------------------------------------------------------------------------------- */

/* The id alone: of several traces the newest observation. */
static const char sql_detail[] =
    "SELECT " SQL_OBSERVATION " FROM (SELECT * FROM observations o"
    " WHERE o.project_id = $1 AND o.id IN ($2, $3, $4)"
    " ORDER BY o.id = $2 DESC, " SQL_NEWEST_FIRST " LIMIT 1) o, " SQL_OBSERVATION_SUMS;

void observations_detail(struct request *request)
{
    read_run_static(request, sql_detail, READ_PATH_UUID, &read_object_format);
}
