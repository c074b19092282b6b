/*
 * otlp_any: values of attributes as text, as JSON and as numbers. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/json_read.h"
#include "gateway/ingest/otlp_span.h"

/* Appends the value as JSON: strings stay strings, what JSON has no number for (NaN, Infinity)
 * becomes a string. */
void any_print(const struct any *any, struct buf *out);

/* The same, but a string that is JSON text is that JSON, as it was sent. */
void any_print_parsed(const struct any *any, struct arena *arena, struct buf *out);

/* Appends "{...}" of all attributes; of a repeated key the last counts. */
void attributes_print(const struct attributes *attributes, struct buf *out);

/* A string's text as it is; a number or bool in words; else JSON. */
struct slice any_text(const struct any *any, struct arena *arena);

/* Stands for all types below. */
#define JSON_ANY JSON_NONE

/* True: text is one valid JSON value of the type; out is it without blanks around. An escape that
 * cannot be stored is patched in place. */
bool text_is_json(struct slice text, enum json_type type, struct arena *arena, struct slice *out);

/* A whole number that is not negative, also as digits in a string; else false. */
bool any_count(const struct any *any, int64_t *out);

/* A number that is not negative, as JSON number text; also of a string. Else false. */
bool any_amount(const struct any *any, struct arena *arena, struct slice *out);

/* true or false, also as a word in a string. */
bool any_bool(const struct any *any, bool *out);

/* null, an empty string, array or map. */
bool any_is_empty(const struct any *any);

/* The value of a key; NULL when there is none. */
const struct any *attributes_find(const struct attributes *attributes, const char *key);

/* The text of a member of an object, which is valid JSON text; of a repeated one the last. False:
 * there is none. */
bool json_member(struct slice json, const char *name, struct arena *arena, struct slice *out);
