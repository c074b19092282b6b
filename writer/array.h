/*
 * array: PostgreSQL's binary form of one-dimensional arrays, for query parameters and COPY. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/slice.h"

/* Type oids of elements (pg_type.dat). */
enum {
    OID_BOOL = 16,
    OID_BYTEA = 17,
    OID_INT8 = 20,
    OID_TEXT = 25,
    OID_DATE = 1082,
    OID_UUID = 2950
};

/* Exactly count elements must follow. */
void array_begin(struct buf *out, uint32_t element_oid, uint32_t count);

void array_add_slice(struct buf *out, struct slice value); /* text, bytea, uuid (16 bytes) */
void array_add_int64(struct buf *out, int64_t value);
void array_add_bool(struct buf *out, bool value);
/* day counts from 1970-01-01. */
void array_add_date(struct buf *out, int32_t day);

/* Reads an int8[] without NULLs: at most max elements into out. False when it is anything else. */
bool array_read_int64(struct slice bytes, int64_t *out, uint32_t max, uint32_t *count);
