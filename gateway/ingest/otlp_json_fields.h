/*
 * otlp_json_fields: a message of OTLP/JSON -> its struct, by its table. Members that the table does not
 * have are passed over. Not thread-safe.
 */
#pragma once

#include "common/json_read.h"
#include "gateway/ingest/otlp_build.h"
#include "gateway/ingest/otlp_fields.h"

/* Into record, which is zeroed. null is as good as absent; anything else that is no object is a fault. */
void otlp_json_message(struct otlp_build *build, struct json_reader *reader,
                       const struct otlp_message *message, void *record);

/* Zeroes record first. An item of a list, a fault of which names its field; null is none. */
void otlp_json_item(struct arena *arena, struct json_reader *reader,
                    const struct otlp_message *message, void *record, struct otlp_fault *fault);
