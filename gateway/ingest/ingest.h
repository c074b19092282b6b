/*
 * ingest: the ingest line, from a request's body to the answer that says what is durable. Handlers of
 * gateway/routes.c, on the request's loop.
 *
 *   media -> inflate -> decode_* (validates and packs record by record into collect) [-> check] -> deliver
 *   ... receipt -> reply
 *
 * A protocol is a decoder and a row in struct ingest_format; everything else is shared.
 */
#pragma once

#include "gateway/request.h"

/* POST /v1/l/batch. 200 once everything is committed; 400 with "errors" and "stored" once the good
 * records are committed, when some were refused. */
void ingest_batch(struct request *request);

/* POST /v1/metrics/batch. The same answers. A header Idempotency-Key of 1 to 255 visible characters makes
 * a repeated request within a day add nothing; it is answered as the first was. */
void ingest_metrics(struct request *request);

/* POST /api/public/otel/v1/{traces,metrics,logs} and /v1/{traces,metrics,logs}: OTLP in JSON or protobuf. 200
 * once all records, or all but those that partialSuccess counts, are committed; 400 when none could be
 * stored. Metrics take an Idempotency-Key; without one, the same body again within a day adds nothing. */
void ingest_otlp_spans(struct request *request);
void ingest_otlp_metrics(struct request *request);
void ingest_otlp_logs(struct request *request);

/* POST /api/public/ingestion: batches of events. 207 once all that is not in its "errors" is committed; 400
 * when the body is no batch. A credential that may only create scores gets a 401 for every other event. */
void ingest_ingestion(struct request *request);

/* One body alone: POST /api/public/scores, and what clients used before there was ingestion: POST
 * /api/public/traces, POST and PATCH /spans and /generations, POST /events. 200 {"id"}. */
void ingest_score(struct request *request);
void ingest_legacy_trace(struct request *request);
void ingest_legacy_span(struct request *request);
void ingest_legacy_span_update(struct request *request);
void ingest_legacy_generation(struct request *request);
void ingest_legacy_generation_update(struct request *request);
void ingest_legacy_event(struct request *request);

/* POST /api/public/models: 200 and the model as it is shown, once it is stored and prices what comes. 400 names what
 * is wrong. DELETE /api/public/models/{id}: 200 once it prices nothing any more; 404 when it is not the project's. */
void ingest_model(struct request *request);
void ingest_model_deletion(struct request *request);

/* DELETE /api/public/scores/{id}: 202 once it is gone, and also when it was not there. */
void ingest_score_deletion(struct request *request);

/* DELETE /api/public/traces/{id} and DELETE /api/public/traces with {"traceIds": [...]}: 200 once they, their
 * observations and their scores are gone, and also when they were not there. */
void ingest_deletion(struct request *request);
void ingest_deletions(struct request *request);
