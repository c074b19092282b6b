/*
 * redact_rules: the keys and patterns of redact, and holding a text against them. For redact.c only.
 */
#pragma once

#include <stdbool.h>

#include "common/arena.h"
#include "common/slice.h"

struct redact;
struct redact_matcher; /* what matching needs; one request's */

bool redact_has_key(const struct redact *redact, struct slice key);

/* Instrumentations put prompts and answers into attributes of these names. */
bool redact_is_content(struct slice key);

struct redact_matcher *redact_matcher_create(const struct redact *redact);
void redact_matcher_destroy(struct redact_matcher *matcher);

/* text itself when nothing matches, else a new text in the arena. */
struct slice redact_matcher_replace(struct redact_matcher *matcher, struct slice text,
                                    struct arena *arena);
