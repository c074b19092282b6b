/*
 * redact_loose: values of secret keys in text that is no JSON by itself: cut off, with a sentence
 * around it, one line of many, with NaN in it, printed by Python. Thread-safe.
 *
 * A key is what stands in quotation marks before a colon ("password": or 'password':, also with
 * backslashes before the marks). Its value goes up to where it plainly ends; one that never does goes
 * with all that follows.
 */
#pragma once

#include <stdbool.h>

#include "common/arena.h"
#include "common/slice.h"

typedef bool (*redact_is_secret)(const void *closure, struct slice key);

/* The text itself when it holds no secret, else a new one in the arena. */
struct slice redact_loose(struct slice text, redact_is_secret is_secret, const void *closure,
                          struct arena *arena);
