/*
 * answer_otlp: the answers of the OTLP routes, in the request's own encoding
 * (https://opentelemetry.io/docs/specs/otlp/#otlphttp-response). All spans stored: an empty message.
 * Some refused: 200 with partialSuccess. All refused: 400, for nothing was stored. On the request's
 * loop.
 */
#pragma once

#include "gateway/ingest/collect.h"
#include "gateway/request.h"

void answer_otlp_json(struct request *request, const struct collect *collect);
void answer_otlp_protobuf(struct request *request, const struct collect *collect);
