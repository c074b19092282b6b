/*
 * answer_records: the answers of the routes of xtrace's own protocol (contract/xtrace.md section 3), of deletions and
 * of models. Who is named in a 400 was not stored, all others were. On the request's loop.
 */
#pragma once

#include "gateway/ingest/collect.h"
#include "gateway/request.h"

void answer_batch(struct request *request, const struct collect *collect);
void answer_metrics(struct request *request, const struct collect *collect);
void answer_deletion(struct request *request, const struct collect *collect);
void answer_deletions(struct request *request, const struct collect *collect);
/* 200 and the model as it is read (collect's note). */
void answer_model(struct request *request, const struct collect *collect);
void answer_model_deletion(struct request *request, const struct collect *collect);
