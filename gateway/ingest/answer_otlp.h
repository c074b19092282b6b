/*
 * answer_otlp: the answers of the OTLP routes, in the request's own encoding
 * (https://opentelemetry.io/docs/specs/otlp/#otlphttp-response). All stored, or accepted: an empty
 * message. Some refused: 200 with partialSuccess. All refused: 400, for nothing was stored. On the
 * request's loop.
 */
#pragma once

#include "gateway/ingest/collect.h"
#include "gateway/request.h"

void answer_otlp_spans_json(struct request *request, const struct collect *collect);
void answer_otlp_spans_protobuf(struct request *request, const struct collect *collect);
void answer_otlp_points_json(struct request *request, const struct collect *collect);
void answer_otlp_points_protobuf(struct request *request, const struct collect *collect);
void answer_otlp_logs_json(struct request *request, const struct collect *collect);
void answer_otlp_logs_protobuf(struct request *request, const struct collect *collect);
