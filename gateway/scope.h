/*
 * scope: what a path that leads nowhere is told. Langfuse's API has more than xtrace does; its clients
 * hear from a 404 which it is, and fall back on their own. Pure.
 */
#pragma once

#include <stdbool.h>

#include "common/error.h"
#include "common/slice.h"

/* path: as it came, without its query. True: it is one of Langfuse's that are no part of xtrace. */
bool scope_is_elsewhere(struct slice path);

/* ERR_NOT_FOUND, with words that fit the path. */
enum err scope_describe(struct slice path, struct error *error);
