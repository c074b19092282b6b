/*
 * id: batch ids, request ids, UUIDs. Random bytes come from getrandom(2). Thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/slice.h"

enum { ID_SIZE = 16, UUID_TEXT_SIZE = 36, HEX_TEXT_SIZE = 32 };

/* Not from the random pool for each call where that shows: still 128 unpredictable bits. */
void id_random(uint8_t out[ID_SIZE]);

/* 32 lower-case hex digits and a NUL. */
void id_hex(const uint8_t id[ID_SIZE], char out[HEX_TEXT_SIZE + 1]);

/* Hyphenated, bare hex, braced or urn:uuid:, any case -> hyphenated lower-case and a NUL.
 * False (out untouched) for anything else. */
bool uuid_normalise(struct slice text, char out[UUID_TEXT_SIZE + 1]);

/* Hyphenated lower-case UUID and NUL of 16 random bytes, version 4. */
void uuid_random(char out[UUID_TEXT_SIZE + 1]);
