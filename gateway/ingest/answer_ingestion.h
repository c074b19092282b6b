/*
 * answer_ingestion: answers of POST /api/public/ingestion and of the routes that take one body, as
 * Langfuse's SDKs read them (contract/langfuse.md sections 1, 2.1 and 4.5).
 */
#pragma once

#include "common/error.h"
#include "gateway/ingest/collect.h"
#include "gateway/request.h"

/* 207: which events were stored and which were not, by their ids. */
void answer_ingestion(struct request *request, const struct collect *collect);

/* Nothing was stored. 400 for a body that is no batch of events, else as reply_error. */
void answer_ingestion_error(struct request *request, enum err err, const struct error *error);

/* 200 and the id of the one record; 400 if it was refused. */
void answer_entity(struct request *request, const struct collect *collect);

/* The same for a score alone. For a list of them 202, or 207 with how many were stored and why others were
 * not. */
void answer_scores(struct request *request, const struct collect *collect);

/* 202 for a score that is gone. */
void answer_score_deleted(struct request *request, const struct collect *collect);
