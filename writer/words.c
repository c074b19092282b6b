#include "writer/words.h"

#include <string.h>

static const struct word_option *find_option(const struct word_option *options, const char *word)
{
    for (; options->name != NULL; options++) {
        if (strcmp(options->name, word) == 0) {
            return options;
        }
    }
    return NULL;
}

/* *at is the option's word, and moves to the last one that belongs to it. */
static enum err take_option(const struct word_option *options, int argc, char **argv, int *at,
                            struct error *error)
{
    const char *word = argv[*at];
    const struct word_option *option = find_option(options, word);
    if (option == NULL) {
        return error_set(error, ERR_INVALID, "there is no option %s", word);
    }
    if (option->value != NULL && *at + 1 == argc) {
        return error_set(error, ERR_INVALID, "%s needs a value", word);
    }
    if (option->value != NULL) {
        *option->value = argv[++*at];
    }
    if (option->given != NULL) {
        *option->given = true;
    }
    return ERR_OK;
}

enum err words_read(int argc, char **argv, const struct word_option *options, const char **places,
                    int count, struct error *error)
{
    int filled = 0;
    bool takes_options = true;
    for (int at = 0; at < argc; at++) {
        if (takes_options && strcmp(argv[at], "--") == 0) {
            takes_options = false;
        } else if (takes_options && strncmp(argv[at], "--", 2) == 0) {
            enum err err = take_option(options, argc, argv, &at, error);
            if (err != ERR_OK) {
                return err;
            }
        } else if (filled == count) {
            return error_set(error, ERR_INVALID, "'%s' is one word too many", argv[at]);
        } else {
            places[filled++] = argv[at];
        }
    }
    return filled == count ? ERR_OK : error_set(error, ERR_INVALID, "a word is missing");
}
