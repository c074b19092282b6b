/*
 * otlp_protobuf_value: the values of OTLP's protobuf, for its readers only. What has another wire type,
 * or is broken inside, is a fault of build. Texts borrow from the message and from build's arena.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "gateway/ingest/otlp_build.h"
#include "gateway/ingest/otlp_wire.h"

/* False: the field has another type, which is a fault. */
bool otlp_protobuf_is(struct otlp_build *build, const struct wire_field *field,
                      enum wire_type type);

/* An AnyValue. */
void otlp_protobuf_any(struct otlp_build *build, struct slice message, struct any *out);

/* A KeyValue, onto a list. */
void otlp_protobuf_attribute(struct otlp_build *build, struct slice message,
                             struct attributes *out);

/* After the last field: a message that ended too early is a fault. */
void otlp_protobuf_end(struct otlp_build *build, const struct wire *wire);
