/*
 * scores_words: sources and data types of scores. Pure.
 */
#include "gateway/read/scores_words.h"

#include <strings.h>

static const char *const sources[] = {"API", "EVAL", "ANNOTATION", NULL};
static const char *const types[] = {"NUMERIC", "BOOLEAN",    "CATEGORICAL",
                                    "TEXT",    "CORRECTION", NULL};

static enum err look_up(const char *const *words, struct arena *arena,
                        const struct param_texts *given, struct param_texts *out,
                        const char *refusal, struct error *error)
{
    const char **found = arena_alloc(arena, given->part_count * sizeof *found);

    for (size_t i = 0; i < given->part_count; i++) {
        size_t k = 0;
        while (words[k] != NULL && strcasecmp(given->parts[i], words[k]) != 0) {
            k++;
        }
        if (words[k] == NULL) {
            return error_set(error, ERR_INVALID, "%s", refusal);
        }
        found[i] = words[k];
    }
    *out = (struct param_texts){found, given->part_count, found, given->part_count};
    return ERR_OK;
}

enum err scores_words_sources(struct arena *arena, const struct param_texts *given,
                              struct param_texts *out, struct error *error)
{
    return look_up(sources, arena, given, out, "source: must be one of API, EVAL, ANNOTATION",
                   error);
}

enum err scores_words_types(struct arena *arena, const struct param_texts *given,
                            struct param_texts *out, struct error *error)
{
    return look_up(types, arena, given, out,
                   "dataType: must be one of NUMERIC, BOOLEAN, CATEGORICAL, TEXT, CORRECTION",
                   error);
}
