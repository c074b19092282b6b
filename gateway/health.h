/*
 * health: liveness, readiness and the gateway's own numbers. Handlers of gateway/routes.c.
 */
#pragma once

#include "gateway/request.h"

enum { HEALTH_WRITER_AGE_MS = 5000, HEALTH_DATABASE_TIMEOUT_MS = 2000 };

/* 200 with an empty body: the process answers. */
void health_live(struct request *request);

/* 200 when the database answers this loop within HEALTH_DATABASE_TIMEOUT_MS and a writer that
 * reaches it was heard of within HEALTH_WRITER_AGE_MS; else 503 that says which is missing. */
void health_ready(struct request *request);

/* The same questions as Langfuse's API asks them: {"status","version"}. Health looks at the database
 * only when asked to by failIfDatabaseUnavailable=true; ready as health_ready. */
void health_status(struct request *request);
void health_ready_status(struct request *request);

/* gateway/books.h as Prometheus text. */
void health_metrics(struct request *request);
