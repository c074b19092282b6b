/*
 * observations_query: which observations a list is of: what both versions of the API take, as the FROM and
 * WHERE of a statement. `o` is a row of observations, `t` its trace, which may be all null and is there only if
 * a condition is on it: an index alone does for a range of time. $1 is the project.
 */
#pragma once

#include "common/buf.h"
#include "gateway/read/observations_facet.h"
#include "gateway/read/read.h"

struct observations_query {
    const char *name;
    const char *user_id;
    const char *session_id;
    const char *type;
    const char *trace_id;
    const char *level;
    const char *parent_id;
    const char *version;
    struct param_texts environments;
    struct param_time from;
    struct param_time to;
    struct param_bool is_root;
    const char *filter;
};

/* Rows of a table of parameters; at: where the struct lies in the resource's. */
#define OBSERVATIONS_PARAM(name, type, at, field)                                                  \
    {                                                                                              \
        name, type, (at) + offsetof(struct observations_query, field)                              \
    }
#define OBSERVATIONS_PARAMS(at)                                                                    \
    OBSERVATIONS_PARAM("name", PARAM_TEXT, at, name),                                              \
        OBSERVATIONS_PARAM("userId", PARAM_TEXT, at, user_id),                                     \
        OBSERVATIONS_PARAM("sessionId", PARAM_TEXT, at, session_id),                               \
        OBSERVATIONS_PARAM("type", PARAM_TEXT, at, type),                                          \
        OBSERVATIONS_PARAM("traceId", PARAM_TEXT, at, trace_id),                                   \
        OBSERVATIONS_PARAM("level", PARAM_TEXT, at, level),                                        \
        OBSERVATIONS_PARAM("parentObservationId", PARAM_TEXT, at, parent_id),                      \
        OBSERVATIONS_PARAM("version", PARAM_TEXT, at, version),                                    \
        OBSERVATIONS_PARAM("environment", PARAM_TEXTS, at, environments),                          \
        OBSERVATIONS_PARAM("fromStartTime", PARAM_TIME, at, from),                                 \
        OBSERVATIONS_PARAM("toStartTime", PARAM_TIME, at, to),                                     \
        OBSERVATIONS_PARAM("isRootObservation", PARAM_BOOL, at, is_root),                          \
        OBSERVATIONS_PARAM("filter", PARAM_TEXT, at, filter)

/* Newest first; the ids make the order total. */
#define SQL_OBSERVATION_KEY  SQL_OBSERVATION_START " AS key, o.trace_id, o.id"
#define SQL_NEWEST_FIRST     SQL_OBSERVATION_START " DESC, o.trace_id DESC, o.id DESC"
#define SQL_NEWEST_KEY_FIRST "p.key DESC, p.trace_id DESC, p.id DESC"

enum observations_breadth {
    OBSERVATIONS_ALL,      /* nothing was asked for */
    OBSERVATIONS_OF_FACET, /* one facet of the books, a range of starts, or both */
    OBSERVATIONS_SOME,
};

struct observations_scope {
    enum observations_breadth breadth;
    struct observations_facet facet; /* unless OBSERVATIONS_SOME */
};

/* The project is bound as $1 already. Appends " FROM ... WHERE ...". A condition of `filter` takes precedence
 * over the parameter of its column. */
MUST_CHECK enum err observations_from(struct read *read, const struct observations_query *query,
                                      struct buf *sql, struct observations_scope *scope,
                                      struct error *error);
