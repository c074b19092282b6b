/*
 * framed: pieces with a length before them (4 bytes, big-endian), the way the helpers of the
 * differential tests hear and answer.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "common/buf.h"

/* False at the end of the stream; a piece that is cut short ends the process. */
bool framed_read(FILE *in, struct buf *piece);
void framed_write(FILE *out, struct slice piece);
