/*
 * json_write: pieces of JSON into a buf.
 */
#pragma once

#include <stdint.h>

#include "common/buf.h"
#include "common/slice.h"

/* text in quotes, escaped. text must be valid UTF-8; control characters and NUL become \n and the
 * like, or \u00XX. */
void json_write_string(struct buf *buf, struct slice text);
