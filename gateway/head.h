/*
 * head: heads of requests that h2o would refuse. Its own refusal is plain text, without any of the
 * headers that our answers have; who asks here first can answer better. Pure.
 */
#pragma once

#include <stddef.h>

#include "common/error.h"
#include "common/slice.h"

/* text: what came so far of a request; known: how much of it the last call saw, 0 at first. ERR_OK: it
 * is fine up to here, or so little that h2o just closes the connection. */
MUST_CHECK enum err head_check(struct slice text, size_t known, struct error *error);
