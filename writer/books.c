#include "writer/books.h"

#include <stdlib.h>

#include "common/arena.h"
#include "common/buf.h"
#include "writer/array.h"

#define DAY_US INT64_C(86400000000)

enum { BOOKS_ARRAYS = 6 }; /* before those of facets */

static const char sql_write[] =
    "WITH k AS (SELECT * FROM unnest($1::text[], $2::date[], $3::bigint[]) AS k(p, d, n)),"
    " c AS (INSERT INTO trace_counts (project_id, day, traces)"
    "  SELECT p, d, n FROM k WHERE n <> 0),"
    " o AS (INSERT INTO observation_counts (project_id, observations)"
    "  SELECT p, n FROM unnest($4::text[], $5::bigint[]) AS o(p, n) WHERE n <> 0),"
    " s AS (INSERT INTO score_counts (project_id, scores)"
    "  SELECT p, n FROM unnest($4::text[], $6::bigint[]) AS s(p, n) WHERE n <> 0),"
    " f AS (" FACETS_SQL_INSERT(
        "7", "8", "9", "10", "11") ")"
                                   " INSERT INTO dirty_days (project_id, day) SELECT p, d FROM k";

void books_init(struct books *books)
{
    *books = (struct books){0};
    facets_init(&books->facets);
}

void books_finish(struct books *books)
{
    free(books->lines);
    free(books->projects);
    facets_finish(&books->facets);
    *books = (struct books){0};
}

void books_reset(struct books *books)
{
    books->count = 0;
    books->project_count = 0;
    facets_reset(&books->facets);
}

static int32_t day_of(int64_t timestamp_us)
{
    int64_t day = timestamp_us / DAY_US;
    return (int32_t)(timestamp_us % DAY_US < 0 ? day - 1 : day);
}

void books_add(struct books *books, struct slice project, int64_t timestamp_us, int64_t traces)
{
    int32_t day = day_of(timestamp_us);
    if (books->count > 0) {
        struct books_line *last = &books->lines[books->count - 1];
        if (last->day == day && slice_equals(last->project, project)) {
            last->traces += traces;
            return;
        }
    }
    if (books->count == books->capacity) {
        books->capacity = books->capacity == 0 ? 64 : books->capacity * 2;
        books->lines = memory_resize(books->lines, books->capacity * sizeof(*books->lines));
    }
    books->lines[books->count++] = (struct books_line){project, day, traces};
}

/* The line of the project, the last one if that is it. */
static struct books_project *find_project(struct books *books, struct slice project)
{
    if (books->project_count > 0 &&
        slice_equals(books->projects[books->project_count - 1].id, project)) {
        return &books->projects[books->project_count - 1];
    }
    if (books->project_count == books->project_capacity) {
        books->project_capacity = books->project_capacity == 0 ? 8 : books->project_capacity * 2;
        books->projects =
            memory_resize(books->projects, books->project_capacity * sizeof(*books->projects));
    }
    books->projects[books->project_count] = (struct books_project){.id = project};
    return &books->projects[books->project_count++];
}

void books_add_observation(struct books *books, const struct merged *observation)
{
    find_project(books, observation->project)->observations++;
    facets_add(&books->facets, observation);
}

void books_add_scores(struct books *books, struct slice project, int64_t scores)
{
    find_project(books, project)->scores += scores;
}

static int compare_lines(const void *a, const void *b)
{
    const struct books_line *left = a;
    const struct books_line *right = b;
    int order = slice_compare(left->project, right->project);
    return order != 0 ? order : (left->day > right->day) - (left->day < right->day);
}

void books_fold(struct books *books)
{
    if (books->count < 2) {
        return;
    }
    qsort(books->lines, books->count, sizeof(*books->lines), compare_lines);
    uint32_t last = 0;
    for (uint32_t i = 1; i < books->count; i++) {
        if (compare_lines(&books->lines[last], &books->lines[i]) == 0) {
            books->lines[last].traces += books->lines[i].traces;
        } else {
            books->lines[++last] = books->lines[i];
        }
    }
    books->count = last + 1;
}

enum err books_write(struct books *books, struct session *session, struct error *error)
{
    books_fold(books);
    if (books->count == 0 && books->project_count == 0) {
        return ERR_OK;
    }
    struct buf bufs[BOOKS_ARRAYS + FACETS_ARRAYS];
    struct session_parameters parameters = {.count = BOOKS_ARRAYS + FACETS_ARRAYS};
    for (uint32_t i = 0; i < parameters.count; i++) {
        bufs[i] = BUF_EMPTY;
    }
    array_begin(&bufs[0], OID_TEXT, books->count);
    array_begin(&bufs[1], OID_DATE, books->count);
    array_begin(&bufs[2], OID_INT8, books->count);
    for (uint32_t i = 0; i < books->count; i++) {
        array_add_slice(&bufs[0], books->lines[i].project);
        array_add_date(&bufs[1], books->lines[i].day);
        array_add_int64(&bufs[2], books->lines[i].traces);
    }
    array_begin(&bufs[3], OID_TEXT, books->project_count);
    array_begin(&bufs[4], OID_INT8, books->project_count);
    array_begin(&bufs[5], OID_INT8, books->project_count);
    for (uint32_t i = 0; i < books->project_count; i++) {
        array_add_slice(&bufs[3], books->projects[i].id);
        array_add_int64(&bufs[4], books->projects[i].observations);
        array_add_int64(&bufs[5], books->projects[i].scores);
    }
    facets_to_arrays(&books->facets, &bufs[BOOKS_ARRAYS]);
    for (uint32_t i = 0; i < parameters.count; i++) {
        parameters.values[i] = buf_slice(&bufs[i]);
    }
    enum err err = session_query(session, sql_write, &parameters, NULL, error);
    for (uint32_t i = 0; i < parameters.count; i++) {
        buf_finish(&bufs[i]);
    }
    return err;
}
