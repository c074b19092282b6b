/*
 * books: what a transaction adds to trace_counts, observation_counts, score_counts, facet_changes and dirty_days: how
 * many traces each UTC day won or lost, which days have changed, how many observations and scores each project won,
 * and of what kind the observations are. Collect, then books_write once. Not thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "common/slice.h"
#include "writer/facets.h"
#include "writer/session.h"

struct books_line {
    struct slice project; /* borrowed from the group */
    int32_t day;          /* from 1970-01-01 */
    int64_t traces;       /* won or lost; 0: only changed */
};

/* A project that won observations or scores. */
struct books_project {
    struct slice id; /* borrowed from the group */
    int64_t observations;
    int64_t scores;
};

struct books {
    struct books_line *lines;
    uint32_t count;
    uint32_t capacity;
    struct books_project *projects;
    uint32_t project_count;
    uint32_t project_capacity;
    struct facets facets;
};

void books_init(struct books *books);
void books_finish(struct books *books);
void books_reset(struct books *books);

/* The day of timestamp_us has changed, and has so many traces more. */
void books_add(struct books *books, struct slice project, int64_t timestamp_us, int64_t traces);

/* A new one. What it has of text is borrowed. */
void books_add_observation(struct books *books, const struct merged *observation);

/* The project has so many more. Cheap where calls for a project follow each other. */
void books_add_scores(struct books *books, struct slice project, int64_t scores);

/* Sums up what was added; order and repetition do not matter. Called by books_write. */
void books_fold(struct books *books);

MUST_CHECK enum err books_write(struct books *books, struct session *session, struct error *error);
