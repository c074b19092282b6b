/*
 * points: metric rows -> metric_series and metric_points. Nothing merges: each row is one more point.
 *
 * Two steps. Before the group's transaction, points_prepare makes what the rows will need and lasts by
 * itself, in short transactions of its own: partitions of their days, series. Inside it, points_write
 * turns rows into points and copies them in, sorted by series and time; a series that is still unknown
 * (what was prepared has been taken away, or was refused) is made within the transaction and not
 * remembered, for that may yet be rolled back.
 *
 * Remembered ids are of one generation (migrations/0002_metrics.sql) of one connection: who takes a
 * series away starts another, and a database that was restored has broken the connection. A
 * partition that was dropped is noticed by the COPY: ERR_REFUSED, and the next try makes it again.
 * Not thread-safe.
 */
#pragma once

#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/error.h"
#include "proto/row.h"
#include "writer/series.h"
#include "writer/session.h"

struct apply_row; /* writer/apply.h */

/* 2000-01-01 to 2099-12-31: the days that partitions are made for. */
enum { POINTS_DAY_MIN = 10957, POINTS_DAYS = 36525, POINTS_GENERATION_SIZE = 64 };

/* A set of such days. */
struct points_days {
    uint64_t bits[(POINTS_DAYS + 63) / 64];
};

struct points {
    struct session *session; /* borrowed */
    struct series series;
    char generation[POINTS_GENERATION_SIZE]; /* of series; "" before the first */
    struct points_days days;                 /* known to have a partition */
    struct arena arena;                      /* of one call */
    struct buf bytes;                        /* of one COPY */
};

void points_init(struct points *points, struct session *session);
void points_finish(struct points *points);

/* There is a new connection: nothing that was known need be so. */
void points_forget(struct points *points);

/*
 * Outside a transaction. All rows are ROW_METRIC. What PostgreSQL refuses to make is left to
 * points_write, which can tell whose row it is: an error here is one that may pass.
 */
MUST_CHECK enum err points_prepare(struct points *points, const struct apply_row *rows,
                                   uint32_t count, struct error *error);

/* Inside a transaction. ERR_CONFLICT: another writer was faster with a series. */
MUST_CHECK enum err points_write(struct points *points, const struct apply_row *rows,
                                 uint32_t count, struct error *error);
