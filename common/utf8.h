/*
 * utf8: strict UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing past U+10FFFF). Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/slice.h"

/* Length of the well-formed multi-byte character at at, whose first byte is >= 0x80; 0 when it is
 * malformed or cut off by end. */
size_t utf8_char(const char *at, const char *end);

/* Characters of valid text. */
size_t utf8_count(struct slice text);

/* Bytes up to the first malformed one; text.len when all is well. */
size_t utf8_valid_prefix(struct slice text);
