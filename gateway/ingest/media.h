/*
 * media: what Content-Type and Content-Encoding say of a request body (RFC 9110 section 8). Pure.
 */
#pragma once

#include <stdbool.h>

#include "common/slice.h"
#include "gateway/ingest/inflate.h"

/* application/json or application/...+json, any case, parameters allowed. An empty type counts as
 * JSON: many a client sends none. */
bool media_is_json(struct slice content_type);

/* application/x-protobuf or application/protobuf, any case, parameters allowed. */
bool media_is_protobuf(struct slice content_type);

/* identity (also when empty), gzip or x-gzip, deflate; any case. False: another, or several. */
bool media_coding(struct slice content_encoding, enum coding *coding);
