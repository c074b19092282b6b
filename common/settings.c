#include "common/settings.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/arena.h"
#include "common/log.h"

static const char *environment(const char *key)
{
    const char *value = key != NULL ? getenv(key) : NULL;
    return value != NULL && value[0] != '\0' ? value : NULL;
}

static bool parse_int(const char *text, int64_t min, int64_t max, int64_t *out)
{
    char *end;
    /* strtoll would pass blanks. */
    if (text[0] != '-' && (text[0] < '0' || text[0] > '9')) {
        return false;
    }
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < min || value > max) {
        return false;
    }
    *out = value;
    return true;
}

static bool parse_bool(const char *text, bool *out)
{
    static const char *const words[2][4] = {{"0", "false", "no", "off"},
                                            {"1", "true", "yes", "on"}};
    for (int value = 0; value < 2; value++) {
        for (int i = 0; i < 4; i++) {
            if (strcasecmp(text, words[value][i]) == 0) {
                *out = value == 1;
                return true;
            }
        }
    }
    return false;
}

static enum err read_int(const struct setting *row, const char *key, const char *text,
                         int64_t *field, struct error *error)
{
    if (text == NULL) {
        *field = 0;
        return ERR_OK;
    }
    if (parse_int(text, row->min, row->max, field)) {
        return ERR_OK;
    }
    if (row->lenient && row->fallback != NULL &&
        parse_int(row->fallback, row->min, row->max, field)) {
        log_event(LOG_WARN, "setting ignored", "setting", key, "reason",
                  log_text("not a whole number from %" PRId64 " to %" PRId64, row->min, row->max),
                  "default", row->fallback, NULL);
        return ERR_OK;
    }
    return error_set(error, ERR_INVALID, "%s must be a whole number from %" PRId64 " to %" PRId64,
                     key, row->min, row->max);
}

static enum err read_bool(const char *key, const char *text, bool *field, struct error *error)
{
    *field = false;
    if (text != NULL && !parse_bool(text, field)) {
        return error_set(error, ERR_INVALID, "%s must be 1, true, yes, on or 0, false, no, off",
                         key);
    }
    return ERR_OK;
}

/* "debug, info, warn or error". */
static const char *list_words(const char *const *words, char *list, size_t size)
{
    size_t len = 0;
    for (size_t i = 0; words[i] != NULL && len < size; i++) {
        const char *before = i == 0 ? "" : words[i + 1] != NULL ? ", " : " or ";
        len += (size_t)snprintf(list + len, size - len, "%s%s", before, words[i]);
    }
    return list;
}

static enum err read_word(const struct setting *row, const char *key, const char *text,
                          unsigned *field, struct error *error)
{
    char list[120] = "";
    for (unsigned i = 0; row->words[i] != NULL; i++) {
        if (strcasecmp(text, row->words[i]) == 0) {
            *field = i;
            return ERR_OK;
        }
    }
    return error_set(error, ERR_INVALID, "%s must be %s", key,
                     list_words(row->words, list, sizeof(list)));
}

static enum err read_row(const struct setting *row, void *config, struct error *error)
{
    void *field = (char *)config + row->offset;
    const char *key = row->key;
    const char *text = environment(key);
    if (text == NULL && environment(row->also) != NULL) {
        key = row->also;
        text = environment(key);
    }
    if (text == NULL && row->required) {
        return error_set(error, ERR_INVALID, "%s is required: %s", row->key, row->help);
    }
    if (text == NULL) {
        text = row->fallback;
    }
    switch (row->type) {
    case SETTING_INT:
        return read_int(row, key, text, field, error);
    case SETTING_BOOL:
        return read_bool(key, text, field, error);
    case SETTING_WORD:
        return read_word(row, key, text, field, error);
    case SETTING_TEXT:
    case SETTING_SECRET:
        break;
    }
    *(char **)field = text != NULL ? memory_text(text) : NULL;
    return ERR_OK;
}

static bool is_text(const struct setting *row)
{
    return row->type == SETTING_TEXT || row->type == SETTING_SECRET;
}

enum err settings_read(const struct setting *rows, void *config, struct error *error)
{
    /* So that a half-read struct can be finished. */
    for (const struct setting *row = rows; row->key != NULL; row++) {
        if (is_text(row)) {
            *(char **)((char *)config + row->offset) = NULL;
        }
    }
    for (const struct setting *row = rows; row->key != NULL; row++) {
        enum err err = read_row(row, config, error);
        if (err != ERR_OK) {
            settings_finish(rows, config);
            return err;
        }
    }
    return ERR_OK;
}

void settings_finish(const struct setting *rows, void *config)
{
    for (const struct setting *row = rows; row->key != NULL; row++) {
        if (is_text(row)) {
            char **field = (char **)((char *)config + row->offset);
            free(*field);
            *field = NULL;
        }
    }
}

void settings_print(const struct setting *rows, FILE *out)
{
    for (const struct setting *row = rows; row->key != NULL; row++) {
        fprintf(out, "  %s", row->key);
        if (row->also != NULL) {
            fprintf(out, " (or %s)", row->also);
        }
        if (row->required) {
            fputs("  required", out);
        } else if (row->fallback != NULL) {
            fprintf(out, "  default %s", row->fallback);
        }
        fprintf(out, "\n      %s\n", row->help);
    }
}
