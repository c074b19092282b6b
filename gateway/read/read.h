/*
 * read: the read line. What every resource shares: parameters, statement, answer as a page or as
 * one object. A resource is a table of parameters and a function that binds them to its SQL.
 * On the request's loop only.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "gateway/read/params.h"
#include "gateway/read/stream.h"
#include "gateway/request.h"

/* A statement's own values and those of a filter (gateway/read/filter.h). */
enum { READ_VALUES_MAX = 128 };

/* One read on its way; lives in the request's arena. */
struct read {
    struct request *request;
    struct arena *arena; /* the request's */

    /* The statement: bind sets sql and adds its $1, $2, ... in order. */
    const char *sql; /* static text, unless read_make_sql made it */
    bool sql_is_made;
    const char *values[READ_VALUES_MAX]; /* NULL: SQL null */
    int value_count;

    /* Of a page: bind sets both, and the answer's meta shows them. */
    int64_t page;
    int64_t limit;

    int64_t _total;
    uint64_t _rows;
    bool _has_meta;
};

struct read_resource {
    const struct param *params;
    size_t params_size; /* of the struct that params describes */
    enum err (*bind)(struct read *read, const void *params, struct error *error);
    const struct stream_format *format; /* its context is the struct read */
};

/*
 * {"data":[...],"meta":{...}}. Columns of the statement: total bigint, row json. The row with a
 * total tells how many there are; each row with a row is one of the page.
 */
extern const struct stream_format read_page_format;

/*
 * {"data":[...]} or {"data":[...],"meta":...}. Columns of the statement: row json, meta json. Each row
 * with a row is one of the list; one with a meta may come last.
 */
extern const struct stream_format read_list_format;

/*
 * {..., "<parts>":[...]}. The first row has the object in column 0, each further one a part in column 1,
 * whose name is the list's. No row: ERR_NOT_FOUND.
 */
extern const struct stream_format read_nested_format;

/* The object in column 0 of the only row. No row: ERR_NOT_FOUND. */
extern const struct stream_format read_object_format;

/* Answers the request, now or later. */
void read_run(struct request *request, const struct read_resource *resource);

enum read_path {
    READ_NO_PATH,
    READ_PATH_TEXT, /* $2: the id in the path */
    READ_PATH_UUID, /* $2, $3, $4: as read_bind_path_id */
};

/* The same for a resource without parameters: a static statement of the project, $1, and the path. */
void read_run_static(struct request *request, const char *sql, enum read_path path,
                     const struct stream_format *format);

/* The text is the statement of this request alone; it consists of pieces of static text, whatever the
 * request says. Copied. */
void read_make_sql(struct read *read, struct slice text);
/* The same of read->sql, with text, of static pieces too, wherever it has the mark. */
void read_fill(struct read *read, const char *mark, struct slice text);
/* The same of a static statement, with the conditions wherever it says READ_SQL_FILTER. */
void read_make_filtered(struct read *read, const char *sql, struct slice conditions);

/* A comment, for SQL: here conditions of a filter (" AND (...)") may go in. */
#define READ_SQL_FILTER " /*filter*/"

void read_bind_text(struct read *read, const char *text); /* borrowed; NULL: SQL null */
void read_bind_integer(struct read *read, int64_t value);
void read_bind_bool(struct read *read, bool value);
void read_bind_time(struct read *read, struct param_time time);       /* null unless given */
void read_bind_number(struct read *read, struct param_number number); /* null unless given */
/* text[]; null when there are none. */
void read_bind_texts(struct read *read, const char *const *texts, size_t count);
/* What was bound as $number gives way to null: a filter of the same column takes precedence. */
void read_unbind(struct read *read, int number);
/* Parts and whole values together: for a filter that any one of them meets. */
void read_bind_any_of(struct read *read, const struct param_texts *texts);
/* text[]: the id as it was given, and its other spellings if it is a UUID. */
void read_bind_id(struct read *read, struct slice id);
/* The same of each part and whole value. */
void read_bind_any_id(struct read *read, const struct param_texts *texts);
/* Three values: the id in the path as it was given, and both spellings if it is a UUID, else null. */
void read_bind_path_id(struct read *read);
/* (page - 1) * limit, at most INT64_MAX. */
void read_bind_offset(struct read *read);

/* SQL for a time as the API writes it, its fraction in 0, 3 or 6 digits as needed; the session's
 * time zone is UTC. */
#define READ_SQL_TIME(time)                                                                        \
    "to_char(" time ", CASE WHEN " time " <> date_trunc('milliseconds', " time ")"                 \
    " THEN 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'"                                                    \
    " WHEN " time " <> date_trunc('second', " time ") THEN 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'"    \
    " ELSE 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"' END)"
