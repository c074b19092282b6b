/*
 * model_rows: rows of ROW_MODEL -> the table of price rows. They come last in a group: they price what comes after
 * them. Not thread-safe.
 */
#pragma once

#include <stdint.h>

#include "common/error.h"
#include "writer/session.h"

struct apply_row; /* writer/apply.h */

/* Inside the transaction; all rows are ROW_MODEL. ERR_CONFLICT: the project has a model of that name. */
MUST_CHECK enum err model_rows_write(struct session *session, const struct apply_row *rows,
                                     uint32_t count, struct error *error);
