/*
 * check: what a request must ask the database before it is sent on. A step of the ingest line between decode and
 * deliver, for the few formats that have one (struct ingest_format). On the request's loop.
 */
#pragma once

#include "common/error.h"
#include "gateway/ingest/collect.h"
#include "gateway/request.h"

/* Runs on the loop, exactly once; other than ERR_OK: nothing is to be stored. */
typedef void (*check_done)(void *waiter, enum err err, const struct error *error);

/* collect's note is the model (decode_model.h). ERR_INVALID: a pattern is no regex of PostgreSQL's, or the project has
 * a model of that name. collect is only read until this returns. */
void check_model(struct request *request, const struct collect *collect, check_done done,
                 void *waiter);

/* ERR_NOT_FOUND: the project has no such model of its own. */
void check_model_deletion(struct request *request, const struct collect *collect, check_done done,
                          void *waiter);
