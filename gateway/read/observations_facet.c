#include "gateway/read/observations_facet.h"

#include "gateway/read/observations_query.h"
#include "gateway/read/traces_sql.h"

static void append_value(const struct observations_facet *facet, struct buf *sql)
{
    if (facet->is_list) {
        buf_printf(sql, " AND value = ANY($%d::text[])", facet->value);
    } else if (facet->value != 0) {
        buf_printf(sql, " AND value = $%d::text", facet->value);
    }
}

/* Hours that lie in the range as a whole. */
static void append_booked(const struct observations_facet *facet, const char *table,
                          struct buf *sql)
{
    buf_printf(sql, "SELECT hour, observations FROM %s WHERE project_id = $1 AND facet = '%s'",
               table, facet->name);
    append_value(facet, sql);
    if (facet->from != 0) {
        buf_printf(sql, " AND hour > xtrace_hour($%d::timestamptz)", facet->from);
    }
    if (facet->to != 0) {
        buf_printf(sql, " AND hour < xtrace_hour($%d::timestamptz)", facet->to);
    }
}

/* The hour that the range begins or ends in; where both are one, UNION makes it one. */
static void append_edge(struct slice from, const char *beyond, const char *hour, int bound,
                        struct buf *sql)
{
    buf_append_text(sql, " UNION SELECT xtrace_hour(" SQL_OBSERVATION_START ") AS hour, count(*)");
    buf_append_slice(sql, from);
    buf_printf(sql,
               " AND " SQL_OBSERVATION_START
               " %s to_timestamp((xtrace_hour($%d::timestamptz)%s) * 3600.0) GROUP BY 1",
               beyond, bound, hour);
}

static void append_hours(const struct observations_facet *facet, struct slice from, struct buf *sql)
{
    buf_append_text(sql, "WITH hours AS MATERIALIZED (SELECT hour, sum(observations)::bigint AS n"
                         " FROM (");
    append_booked(facet, "facet_counts", sql);
    buf_append_text(sql, " UNION ALL ");
    append_booked(facet, "facet_changes", sql);
    buf_append_text(sql, ") f GROUP BY hour HAVING sum(observations) <> 0");
    if (facet->from != 0) {
        append_edge(from, "<", " + 1", facet->from, sql);
    }
    if (facet->to != 0) {
        append_edge(from, ">=", "", facet->to, sql);
    }
    buf_append_text(sql, ")");
}

void observations_facet_begin(const struct observations_facet *facet, struct slice from, int limit,
                              int offset, struct buf *sql)
{
    append_hours(facet, from, sql);
    buf_append_text(sql,
                    ", total AS MATERIALIZED (SELECT coalesce(sum(n), 0)::bigint AS n FROM hours),"
                    " placed AS MATERIALIZED (SELECT hour, before FROM"
                    " (SELECT hour, n, (sum(n) OVER (ORDER BY hour DESC) - n)::bigint AS before"
                    " FROM hours) h");
    /* No sum of the two: an offset may be the greatest integer. */
    buf_printf(sql, " WHERE before - $%d::bigint < $%d::bigint AND before + n > $%d::bigint)",
               limit, offset, offset);
}

void observations_facet_page(struct slice from, int limit, int offset, struct buf *sql)
{
    buf_append_text(sql, "SELECT k.* FROM placed h CROSS JOIN LATERAL"
                         " (SELECT " SQL_OBSERVATION_KEY);
    buf_append_slice(sql, from);
    buf_append_text(sql, " AND " SQL_OBSERVATION_START
                         " >= to_timestamp(h.hour * 3600.0) AND " SQL_OBSERVATION_START
                         " < to_timestamp((h.hour + 1) * 3600.0)");
    buf_printf(sql,
               " ORDER BY " SQL_NEWEST_FIRST " LIMIT $%d::bigint - h.before + $%d::bigint) k"
               " ORDER BY k.key DESC, k.trace_id DESC, k.id DESC"
               " LIMIT $%d::bigint OFFSET $%d::bigint - (SELECT min(before) FROM placed)",
               offset, limit, limit, offset);
}
