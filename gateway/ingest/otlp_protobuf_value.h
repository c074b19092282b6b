/*
 * otlp_protobuf_value: the values of OTLP's protobuf, for its readers only. Each takes a field that
 * the wire cursor has found; one of another wire type, or broken inside, is a fault of build. Texts
 * borrow from the message and from build's arena.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "gateway/ingest/otlp_build.h"
#include "gateway/ingest/otlp_wire.h"

/* False: the field has another type, which is a fault. */
bool otlp_protobuf_is(struct otlp_build *build, const struct wire_field *field,
                      enum wire_type type);

void otlp_protobuf_text(struct otlp_build *build, const struct wire_field *field,
                        struct slice *out);
void otlp_protobuf_number(struct otlp_build *build, const struct wire_field *field,
                          enum wire_type type, uint64_t *out);
void otlp_protobuf_count(struct otlp_build *build, const struct wire_field *field, uint32_t *out);
void otlp_protobuf_double(struct otlp_build *build, const struct wire_field *field, double *out);
void otlp_protobuf_id(struct otlp_build *build, const struct wire_field *field, size_t size,
                      char *id);

/* An AnyValue. */
void otlp_protobuf_any(struct otlp_build *build, const struct wire_field *field, struct any *out);

/* A KeyValue, into a list of struct attribute. */
void otlp_protobuf_attribute(struct otlp_build *build, const struct wire_field *field,
                             struct otlp_list *list);

/* After the last field: a message that ended too early is a fault. */
void otlp_protobuf_end(struct otlp_build *build, const struct wire *wire);
