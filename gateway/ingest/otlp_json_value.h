/*
 * otlp_json_value: the values of OTLP/JSON, for otlp_json.c only. Each call passes the value that
 * comes next whatever it is; null is as good as absent; what has another type is a fault of build.
 * The texts borrow from the reader's text and from build's arena.
 */
#pragma once

#include "common/json_read.h"
#include "gateway/ingest/otlp_build.h"

void otlp_json_text(struct otlp_build *build, struct json_reader *reader, struct slice *out);

/* Nanoseconds: a whole number, as text too, or {"low":n,"high":n} of 32 bits each. */
void otlp_json_time(struct otlp_build *build, struct json_reader *reader, uint64_t *out);

/* Hex digits, or the bytes as an array of numbers. */
void otlp_json_id(struct otlp_build *build, struct json_reader *reader, size_t size, char *id);

/* An array of {"key","value"}. */
void otlp_json_attributes(struct otlp_build *build, struct json_reader *reader,
                          struct attributes *out);
