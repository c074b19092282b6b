/*
 * environment: a client's name for its environment -> what is stored (contract/langfuse.md section
 * 2.3). Pure.
 */
#pragma once

#include "common/slice.h"

enum { ENVIRONMENT_MAX = 40 };

/* Lower case, without leading "langfuse", cut to ENVIRONMENT_MAX; "default" when nothing is left or
 * it is not of [a-z0-9_-]. out borrows from buffer, or is static. */
struct slice environment_normalise(struct slice text, char buffer[ENVIRONMENT_MAX]);
