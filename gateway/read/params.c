/*
 * params: query string -> typed, bounded values. Pure.
 */
#include "gateway/read/params.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/rfc3339.h"
#include "common/utf8.h"

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Undoes the form encoding; the result has a NUL behind it. False: an escape is malformed. */
static bool decode(struct slice encoded, struct arena *arena, struct slice *out)
{
    char *text = arena_alloc(arena, encoded.len + 1);
    size_t len = 0;

    for (size_t i = 0; i < encoded.len; i++) {
        char c = encoded.data[i];
        if (c == '+') {
            c = ' ';
        } else if (c == '%') {
            int high = encoded.len - i > 2 ? hex_digit(encoded.data[i + 1]) : -1;
            int low = encoded.len - i > 2 ? hex_digit(encoded.data[i + 2]) : -1;
            if (high < 0 || low < 0) {
                return false;
            }
            c = (char)(high << 4 | low);
            i += 2;
        }
        text[len++] = c;
    }
    text[len] = '\0';
    *out = (struct slice){text, len};
    return true;
}

static enum err check_text(const char *name, struct slice text, struct error *error)
{
    if (utf8_valid_prefix(text) != text.len) {
        return error_set(error, ERR_INVALID, "%s: not UTF-8", name);
    }
    if (memchr(text.data, '\0', text.len) != NULL) {
        return error_set(error, ERR_INVALID, "%s: must not hold U+0000", name);
    }
    return ERR_OK;
}

/* Decimal digits with an optional sign. */
static bool parse_integer(struct slice text, int64_t *out)
{
    bool negative = text.len > 0 && text.data[0] == '-';
    size_t i = text.len > 0 && (text.data[0] == '-' || text.data[0] == '+') ? 1 : 0;
    int64_t value = 0;

    if (i == text.len) {
        return false;
    }
    for (; i < text.len; i++) {
        int digit = text.data[i] - '0';
        if (digit < 0 || digit > 9) {
            return false;
        }
        if (value > (INT64_MAX - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    *out = negative ? -value : value;
    return true;
}

static enum err take_integer(const char *name, struct slice text, int64_t min, int64_t max,
                             int64_t *out, struct error *error)
{
    int64_t value;

    if (!parse_integer(text, &value)) {
        return error_set(error, ERR_INVALID, "%s: not an integer of 64 bits", name);
    }
    *out = value < min ? min : value > max ? max : value;
    return ERR_OK;
}

bool param_number_parse(const char *text, double *out)
{
    char *end;

    /* strtod also takes words, hexadecimal digits and blanks. */
    if (*text == '\0' || text[strspn(text, "0123456789+-.eE")] != '\0') {
        return false;
    }
    *out = strtod(text, &end);
    return *end == '\0' && end != text && isfinite(*out);
}

static enum err take_number(const char *name, struct slice text, struct param_number *out,
                            struct error *error)
{
    if (!param_number_parse(text.data, &out->value)) {
        return error_set(error, ERR_INVALID, "%s: not a number", name);
    }
    out->given = true;
    return ERR_OK;
}

static enum err take_bool(const char *name, struct slice text, struct param_bool *out,
                          struct error *error)
{
    out->value = slice_is(text, "true");
    out->given = true;
    return out->value || slice_is(text, "false")
               ? ERR_OK
               : error_set(error, ERR_INVALID, "%s: neither true nor false", name);
}

static enum err take_time(const char *name, struct slice text, struct param_time *out,
                          struct error *error)
{
    if (!rfc3339_parse(text, &out->us)) {
        return error_set(error, ERR_INVALID,
                         "%s: not an RFC 3339 time with an offset (a '+' in a query string is "
                         "written %%2B)",
                         name);
    }
    out->given = true;
    return ERR_OK;
}

/* Room for one more value in an array that grows by doubling. */
static const char **grow(struct arena *arena, const char **values, size_t count)
{
    if (count != 0 && (count & (count - 1)) != 0) {
        return values;
    }
    const char **grown = arena_alloc(arena, (count == 0 ? 1 : count * 2) * sizeof *grown);
    if (count != 0) {
        memcpy(grown, values, count * sizeof *grown);
    }
    return grown;
}

static enum err take_texts(const char *name, struct slice text, struct arena *arena,
                           struct param_texts *out, struct error *error)
{
    if (out->count == PARAM_TEXTS_MAX) {
        return error_set(error, ERR_INVALID, "%s: given more than %d times", name, PARAM_TEXTS_MAX);
    }
    out->values = grow(arena, out->values, out->count);
    out->values[out->count++] = text.data;
    return ERR_OK;
}

/* parts: the values without commas, and the others cut at theirs. */
static enum err split_texts(const char *name, struct arena *arena, struct param_texts *texts,
                            struct error *error)
{
    bool has_comma = false;

    for (size_t i = 0; i < texts->count; i++) {
        has_comma |= strchr(texts->values[i], ',') != NULL;
    }
    texts->parts = texts->values;
    texts->part_count = texts->count;
    if (!has_comma) {
        return ERR_OK;
    }
    texts->parts = NULL;
    texts->part_count = 0;
    for (size_t i = 0; i < texts->count; i++) {
        const char *at = texts->values[i];
        for (;;) {
            size_t len = strcspn(at, ",");
            if (texts->part_count == PARAM_TEXTS_MAX) {
                return error_set(error, ERR_INVALID, "%s: more than %d values", name,
                                 PARAM_TEXTS_MAX);
            }
            texts->parts = grow(arena, texts->parts, texts->part_count);
            texts->parts[texts->part_count++] = arena_text(arena, (struct slice){at, len});
            if (at[len] == '\0') {
                break;
            }
            at += len + 1;
        }
    }
    return ERR_OK;
}

static enum err take(const struct param *param, struct slice text, struct arena *arena, void *field,
                     struct error *error)
{
    switch (param->type) {
    case PARAM_TEXT:
        *(const char **)field = text.data;
        return ERR_OK;
    case PARAM_TEXTS:
        return take_texts(param->name, text, arena, field, error);
    case PARAM_TIME:
        return take_time(param->name, text, field, error);
    case PARAM_PAGE:
        return take_integer(param->name, text, 1, INT64_MAX, field, error);
    case PARAM_LIMIT:
        return take_integer(param->name, text, 1, PARAM_LIMIT_MAX, field, error);
    case PARAM_WIDE_LIMIT:
        return take_integer(param->name, text, 0, PARAM_WIDE_LIMIT_MAX, field, error);
    case PARAM_BOOL:
        return take_bool(param->name, text, field, error);
    case PARAM_NUMBER:
        return take_number(param->name, text, field, error);
    }
    return ERR_OK;
}

static void set_default(const struct param *param, void *field)
{
    switch (param->type) {
    case PARAM_TEXT:
        *(const char **)field = NULL;
        break;
    case PARAM_TEXTS:
        *(struct param_texts *)field = (struct param_texts){0};
        break;
    case PARAM_TIME:
        *(struct param_time *)field = (struct param_time){0};
        break;
    case PARAM_PAGE:
        *(int64_t *)field = 1;
        break;
    case PARAM_LIMIT:
    case PARAM_WIDE_LIMIT:
        *(int64_t *)field = PARAM_LIMIT_DEFAULT;
        break;
    case PARAM_BOOL:
        *(struct param_bool *)field = (struct param_bool){0};
        break;
    case PARAM_NUMBER:
        *(struct param_number *)field = (struct param_number){0};
        break;
    }
}

static int find(const struct param *params, struct slice name)
{
    for (int i = 0; params[i].name != NULL; i++) {
        if (slice_is(name, params[i].name)) {
            return i;
        }
    }
    return -1;
}

static enum err read_pair(const struct param *params, struct slice pair, struct arena *arena,
                          char *out, uint64_t *seen, struct error *error)
{
    const char *equals = memchr(pair.data, '=', pair.len);
    size_t name_len = equals != NULL ? (size_t)(equals - pair.data) : pair.len;
    size_t value_at = equals != NULL ? name_len + 1 : pair.len;
    struct slice name, text;

    /* A name that does not decode is none that we know. */
    int i = decode((struct slice){pair.data, name_len}, arena, &name) ? find(params, name) : -1;
    if (i < 0) {
        return ERR_OK;
    }
    const struct param *param = &params[i];
    if ((*seen >> i & 1) != 0 && param->type != PARAM_TEXTS) {
        return error_set(error, ERR_INVALID, "%s: given twice", param->name);
    }
    *seen |= UINT64_C(1) << i;
    if (!decode((struct slice){pair.data + value_at, pair.len - value_at}, arena, &text)) {
        return error_set(error, ERR_INVALID, "%s: '%%' must be followed by two hex digits",
                         param->name);
    }
    enum err err = check_text(param->name, text, error);
    return err != ERR_OK ? err : take(param, text, arena, out + param->offset, error);
}

enum err params_read(const struct param *params, struct slice query, struct arena *arena, void *out,
                     struct error *error)
{
    uint64_t seen = 0;
    enum err err = ERR_OK;

    for (const struct param *param = params; param->name != NULL; param++) {
        set_default(param, (char *)out + param->offset);
    }
    for (size_t at = 0; at < query.len && err == ERR_OK;) {
        const char *end = memchr(query.data + at, '&', query.len - at);
        size_t len = end != NULL ? (size_t)(end - query.data) - at : query.len - at;
        if (len > 0) {
            struct slice pair = {query.data + at, len};
            err = read_pair(params, pair, arena, out, &seen, error);
        }
        at += len + 1;
    }
    for (const struct param *param = params; param->name != NULL && err == ERR_OK; param++) {
        if (param->type == PARAM_TEXTS) {
            err = split_texts(param->name, arena, (void *)((char *)out + param->offset), error);
        }
    }
    return err;
}
