/*
 * filter: a JSON list of conditions -> SQL and bound values. Pure.
 */
#include "gateway/read/filter.h"

#include <assert.h>
#include <string.h>

#include "common/json_read.h"
#include "common/rfc3339.h"
#include "gateway/read/filter_kinds.h"
#include "gateway/read/read.h"

enum { DEPTH_MAX = 16, SHORT_MAX = 800 };

/* --- reading a condition --------------------------------------------------------------------- */

struct condition {
    size_t index; /* for messages */
    struct slice type;
    struct slice column;
    struct slice relation;
    struct slice key;
    struct slice value; /* JSON text; NULL when absent */
};

static enum err read_word(struct json_reader *reader, size_t index, struct slice name,
                          struct slice *out, struct error *error)
{
    if (json_string(reader, out) || json_null(reader) || json_failed(reader)) {
        return ERR_OK; /* what failed, json_end tells */
    }
    return error_set(error, ERR_INVALID, "filter[%zu].%.*s: not a string", index, (int)name.len,
                     name.data);
}

static enum err read_condition(struct json_reader *reader, size_t index, struct condition *out,
                               struct error *error)
{
    struct slice key;
    enum err err = ERR_OK;

    *out = (struct condition){.index = index};
    if (!json_object_begin(reader)) {
        return json_failed(reader)
                   ? ERR_OK
                   : error_set(error, ERR_INVALID, "filter[%zu]: not an object", index);
    }
    while (err == ERR_OK && json_object_next(reader, &key)) {
        struct slice *word = slice_is(key, "type")       ? &out->type
                             : slice_is(key, "column")   ? &out->column
                             : slice_is(key, "operator") ? &out->relation
                             : slice_is(key, "key")      ? &out->key
                                                         : NULL;
        if (word != NULL) {
            err = read_word(reader, index, key, word, error);
        } else {
            json_skip(reader, slice_is(key, "value") ? &out->value : NULL);
        }
    }
    return err;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_joint(char c)
{
    return c == '_' || c == '-' || c == ' ';
}

/* startTime, start_time, "Start Time". */
static bool is_same_name(struct slice given, const char *name)
{
    for (size_t i = 0; i < given.len; i++) {
        if (is_joint(given.data[i])) {
            continue;
        }
        if (lower(given.data[i]) != lower(*name)) {
            return false;
        }
        name++;
    }
    return *name == '\0';
}

/* Of several columns of a name, the first that is for the condition's type, else the first. */
static const struct filter_column *find_column(const struct filter_column *columns, size_t count,
                                               const struct condition *condition)
{
    const struct filter_column *first = NULL;
    bool is_known;

    for (size_t i = 0; i < count; i++) {
        if (is_same_name(condition->column, columns[i].name)) {
            if (filter_kind(condition->type, columns[i].type, &is_known) != NULL) {
                return &columns[i];
            }
            first = first != NULL ? first : &columns[i];
        }
    }
    return first;
}

/* What is wrong with a word, which comes last: messages are cut at their end. */
static enum err refuse(const struct condition *condition, const char *member, const char *why,
                       struct slice word, struct error *error)
{
    if (word.data == NULL) {
        return error_set(error, ERR_INVALID, "filter[%zu].%s: missing", condition->index, member);
    }
    int len = word.len < sizeof error->text ? (int)word.len : (int)sizeof error->text;
    return error_set(error, ERR_INVALID, "filter[%zu].%s: %s: %.*s", condition->index, member, why,
                     len, word.data);
}

/* --- values ---------------------------------------------------------------------------------- */

static enum err wrong_value(const struct condition *condition, const char *wanted,
                            struct error *error)
{
    return error_set(error, ERR_INVALID, "filter[%zu].value: not %s", condition->index, wanted);
}

static enum err bind_texts(struct read *read, const struct condition *condition,
                           struct json_reader *reader, bool *is_short, struct error *error)
{
    const char **texts = arena_alloc(read->arena, FILTER_OPTIONS_MAX * sizeof *texts);
    size_t count = 0;
    struct slice text;

    if (!json_array_begin(reader)) {
        return wrong_value(condition, "a list of strings", error);
    }
    while (json_array_next(reader)) {
        if (!json_string(reader, &text)) {
            return wrong_value(condition, "a list of strings", error);
        }
        if (count == FILTER_OPTIONS_MAX) {
            return error_set(error, ERR_INVALID, "filter[%zu].value: more than %d strings",
                             condition->index, FILTER_OPTIONS_MAX);
        }
        *is_short &= text.len <= SHORT_MAX;
        texts[count++] = arena_text(read->arena, text);
    }
    if (count == 0) {
        read_bind_text(read, "{}");
    } else {
        read_bind_texts(read, texts, count);
    }
    return ERR_OK;
}

static enum err bind_time(struct read *read, const struct condition *condition, struct slice text,
                          struct error *error)
{
    struct param_time time = {.given = true};

    if (!rfc3339_parse(text, &time.us)) {
        return wrong_value(condition, "an RFC 3339 time with an offset", error);
    }
    read_bind_time(read, time);
    return ERR_OK;
}

/* *is_short: no text is longer than SHORT_MAX. */
static enum err bind_value(struct read *read, const struct condition *condition,
                           enum filter_value value, bool *is_short, struct error *error)
{
    struct json_reader reader;
    struct slice text;
    bool flag;

    *is_short = true;
    if (value == VALUE_NONE) {
        return ERR_OK;
    }
    if (condition->value.data == NULL) {
        return refuse(condition, "value", "", condition->value, error);
    }
    /* It was validated once, and lies in our copy. */
    json_reader_init(&reader, (char *)condition->value.data, condition->value.len, DEPTH_MAX,
                     read->arena);
    switch (value) {
    case VALUE_TEXT:
        if (!json_string(&reader, &text)) {
            return wrong_value(condition, "a string", error);
        }
        *is_short = text.len <= SHORT_MAX;
        read_bind_text(read, arena_text(read->arena, text));
        break;
    case VALUE_TEXTS:
        return bind_texts(read, condition, &reader, is_short, error);
    case VALUE_NUMBER:
        if (!json_number(&reader, &text)) {
            return wrong_value(condition, "a number", error);
        }
        read_bind_text(read, arena_text(read->arena, text));
        break;
    case VALUE_TIME:
        if (!json_string(&reader, &text)) {
            return wrong_value(condition, "an RFC 3339 time with an offset", error);
        }
        return bind_time(read, condition, text, error);
    case VALUE_BOOL:
        if (!json_bool(&reader, &flag)) {
            return wrong_value(condition, "true or false", error);
        }
        read_bind_text(read, flag ? "true" : "false");
        break;
    case VALUE_NONE:
        break;
    }
    return ERR_OK;
}

/* --- SQL ------------------------------------------------------------------------------------- */

/* key: the number of the bound key, 0 without one. */
static void append_column(struct buf *sql, const struct filter_column *column, int key)
{
    if (key == 0) {
        buf_printf(sql, "(%s)", column->sql);
    } else {
        buf_printf(sql, "(%s ->> $%d::text)", column->sql, key);
    }
}

static void append_condition(struct buf *sql, const char *form, const struct filter_column *column,
                             int key, int value)
{
    for (const char *at = form; *at != '\0';) {
        if (strncmp(at, "{x}", 3) == 0) {
            append_column(sql, column, key);
            at += 3;
        } else if (strncmp(at, "{v}", 3) == 0) {
            buf_printf(sql, "$%d", value);
            at += 3;
        } else {
            buf_append_char(sql, *at++);
        }
    }
}

void filter_add(const struct read *read, const char *form, struct buf *sql)
{
    buf_append_text(sql, " AND (");
    append_condition(sql, form, NULL, 0, read->value_count);
    buf_append_char(sql, ')');
}

static bool has_short_index(const struct filter_column *column)
{
    return column->type == FILTER_SHORT_TEXT || column->type == FILTER_OBJECT;
}

static enum err append(struct read *read, const struct condition *condition,
                       const struct filter_column *column, struct buf *sql, struct error *error)
{
    bool is_known, is_short;
    int key = 0;
    const struct filter_kind *kind = filter_kind(condition->type, column->type, &is_known);

    if (kind == NULL) {
        return refuse(condition, "type", is_known ? "not for this column" : "unknown",
                      condition->type, error);
    }
    const struct filter_relation *relation = filter_relation(kind, condition->relation);
    if (relation == NULL) {
        return refuse(condition, "operator", "unknown for this type", condition->relation, error);
    }
    /* With `null` a key is optional. */
    if (kind->has_key && condition->key.data == NULL) {
        return refuse(condition, "key", "", condition->key, error);
    }
    if ((column->type == FILTER_OBJECT || column->type == FILTER_LISTS) &&
        condition->key.data != NULL) {
        read_bind_text(read, arena_text(read->arena, condition->key));
        key = read->value_count;
    }
    enum err err = bind_value(read, condition, relation->takes_nothing ? VALUE_NONE : kind->value,
                              &is_short, error);
    if (err != ERR_OK) {
        return err;
    }
    buf_append_text(sql, " AND (");
    append_condition(sql, relation->sql, column, key, read->value_count);
    if (relation->is_equality && is_short && has_short_index(column)) {
        append_condition(sql, " AND octet_length({x}) <= 800", column, key, 0);
    }
    buf_append_char(sql, ')');
    return ERR_OK;
}

/* --- the door -------------------------------------------------------------------------------- */

static enum err append_all(struct read *read, const struct condition *conditions, size_t number,
                           const struct filter_column *columns, size_t count, struct buf *sql,
                           uint64_t *mask, struct error *error)
{
    enum err err = ERR_OK;

    for (size_t i = 0; err == ERR_OK && i < number; i++) {
        const struct filter_column *column = find_column(columns, count, &conditions[i]);
        if (column == NULL) {
            return refuse(&conditions[i], "column", "unknown", conditions[i].column, error);
        }
        err = append(read, &conditions[i], column, sql, error);
        *mask |= UINT64_C(1) << (column - columns);
    }
    return err;
}

enum err filter_append(struct read *read, const char *json, const struct filter_column *columns,
                       size_t count, struct buf *sql, uint64_t *mask, struct error *error)
{
    struct condition conditions[FILTER_CONDITIONS_MAX];
    struct json_reader reader;
    size_t number = 0;
    enum err err = ERR_OK;

    assert(count <= FILTER_COLUMNS_MAX);
    *mask = 0;
    if (json == NULL) {
        return ERR_OK;
    }
    struct slice text = arena_copy(read->arena, slice_from(json)); /* the reader may write to it */
    json_reader_init(&reader, (char *)text.data, text.len, DEPTH_MAX, read->arena);
    if (json_array_begin(&reader)) {
        while (err == ERR_OK && json_array_next(&reader)) {
            if (number == FILTER_CONDITIONS_MAX) {
                return error_set(error, ERR_INVALID, "filter: more than %d conditions",
                                 FILTER_CONDITIONS_MAX);
            }
            err = read_condition(&reader, number, &conditions[number], error);
            number++;
        }
    } else if (!json_failed(&reader)) {
        return error_set(error, ERR_INVALID, "filter: not a list");
    }
    if (err == ERR_OK) {
        err = json_end(&reader, error);
        if (err != ERR_OK) {
            error_context(error, "filter");
        }
    }
    return err == ERR_OK ? append_all(read, conditions, number, columns, count, sql, mask, error)
                         : err;
}
