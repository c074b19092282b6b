/*
 * scores_words: the words of the API that a list of scores can be asked for, from comma lists, in any case.
 * Pure; thread-safe.
 */
#pragma once

#include "common/arena.h"
#include "common/error.h"
#include "gateway/read/params.h"

/* *out: the words in the API's spelling, both arrays one. ERR_INVALID: there is no such word. */
MUST_CHECK enum err scores_words_sources(struct arena *arena, const struct param_texts *given,
                                         struct param_texts *out, struct error *error);
MUST_CHECK enum err scores_words_types(struct arena *arena, const struct param_texts *given,
                                       struct param_texts *out, struct error *error);
