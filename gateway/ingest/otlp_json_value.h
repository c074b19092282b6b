/*
 * otlp_json_value: the values of OTLP/JSON, for its readers only. Each call passes the value that
 * comes next whatever it is; null is as good as absent. Texts and attributes that have another type are
 * kept as text, the JSON that they are; anything else is a fault of build. The texts borrow from the reader's text and from build's arena.
 */
#pragma once

#include "common/json_read.h"
#include "gateway/ingest/otlp_build.h"

void otlp_json_text(struct json_reader *reader, struct slice *out);

/* Nanoseconds: a whole number, as text too, or {"low":n,"high":n} of 32 bits each. */
void otlp_json_time(struct otlp_build *build, struct json_reader *reader, uint64_t *out);

/* A count that only informs: what is none of 32 bits is 0 and no fault. */
void otlp_json_count(struct json_reader *reader, uint32_t *out);

/* A number, or a word of an enumeration by its number; 0 when it is none, which is no fault. */
void otlp_json_word(struct json_reader *reader, const char *const *words, uint32_t *out);

/* A number, also as text; NaN and the infinities are words. */
void otlp_json_double(struct otlp_build *build, struct json_reader *reader, double *out);

/* A number of 32 bits, also as text. */
void otlp_json_int32(struct otlp_build *build, struct json_reader *reader, int32_t *out);

/* A 64-bit count, also as text. */
void otlp_json_unsigned(struct otlp_build *build, struct json_reader *reader, uint64_t *out);

/* Hex digits, or the bytes as an array of numbers. */
void otlp_json_id(struct otlp_build *build, struct json_reader *reader, size_t size, char *id);

/* An AnyValue: {"stringValue":"..."}. Beyond OTLP_DEPTH_MAX it goes on as text. */
void otlp_json_any(struct otlp_build *build, struct json_reader *reader, struct any *out);

/* An array of {"key","value"}, onto a list; an element that is something else has its place in the array as key. */
void otlp_json_attributes(struct otlp_build *build, struct json_reader *reader,
                          struct attributes *out);
