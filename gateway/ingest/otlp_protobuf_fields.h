/*
 * otlp_protobuf_fields: a message of OTLP in protobuf -> its struct, by its table. Fields that the table
 * does not have are passed over. Not thread-safe.
 */
#pragma once

#include "gateway/ingest/otlp_build.h"
#include "gateway/ingest/otlp_fields.h"

/* Into record, which is zeroed. A field of another type, or a broken message, is a fault. */
void otlp_protobuf_message(struct otlp_build *build, struct slice bytes,
                           const struct otlp_message *message, void *record);

/* Zeroes record first. An item of a list, a fault of which names its field. */
void otlp_protobuf_item(struct arena *arena, struct slice bytes, const struct otlp_message *message,
                        void *record, struct otlp_fault *fault);
