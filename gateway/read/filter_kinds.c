/*
 * filter_kinds: types of conditions and their operators. Pure.
 */
#include "gateway/read/filter_kinds.h"

#include <stddef.h>

#define BIT(type)   (1u << (type))
#define BITS_OF_ALL (~0u)

#define ON_TEXT                                                                                    \
    {"=", "{x} = {v}::text", true}, {"contains", "strpos({x}, {v}::text) > 0"},                    \
        {"does not contain", "(strpos({x}, {v}::text) > 0) IS NOT TRUE"},                          \
        {"starts with", "starts_with({x}, {v}::text)"},                                            \
    {                                                                                              \
        "ends with", "right({x}, length({v}::text)) = {v}::text"                                   \
    }

/* `matches` is case-blind in a column, and not at a key: so it is with Langfuse. */
static const struct filter_relation on_text[] = {
    ON_TEXT,
    {"matches", "strpos(lower({x}), lower({v}::text)) > 0"},
    {NULL},
};

static const struct filter_relation on_key_text[] = {
    ON_TEXT,
    {"matches", "strpos({x}, {v}::text) > 0"},
    {"is set", "{x} IS NOT NULL", false, true},
    {"is not set", "{x} IS NULL", false, true},
    {NULL},
};

static const struct filter_relation on_choice[] = {
    {"any of", "{x} = ANY({v}::text[])", true},
    {"none of", "({x} = ANY({v}::text[])) IS NOT TRUE"},
    {NULL},
};

static const struct filter_relation on_texts[] = {
    {"any of", "{x} && {v}::text[]"},
    {"none of", "({x} && {v}::text[]) IS NOT TRUE"},
    {"all of", "{x} @> {v}::text[]"},
    {NULL},
};

static const struct filter_relation on_list[] = {
    {"any of", "({x})::jsonb ?| {v}::text[]"},
    {"none of", "(({x})::jsonb ?| {v}::text[]) IS NOT TRUE"},
    {NULL},
};

static const struct filter_relation on_list_bool[] = {
    {"=", "({x})::jsonb ? {v}::text"},
    {"<>", "(({x})::jsonb ? {v}::text) IS NOT TRUE"},
    {NULL},
};

static const struct filter_relation on_number[] = {
    {"=", "({x})::numeric = {v}::numeric"},   {"<", "({x})::numeric < {v}::numeric"},
    {">", "({x})::numeric > {v}::numeric"},   {"<=", "({x})::numeric <= {v}::numeric"},
    {">=", "({x})::numeric >= {v}::numeric"}, {NULL},
};

/* A number of any JSON that was stored, also when it was sent as a string. */
#define KEY_NUMBER                                                                                 \
    "CASE WHEN octet_length({x}) <= 1500 AND {x} ~ '^-?[0-9]+(\\.[0-9]+)?$' THEN ({x})::numeric "  \
    "END"

static const struct filter_relation on_key_number[] = {
    {"=", KEY_NUMBER " = {v}::numeric"},   {"<", KEY_NUMBER " < {v}::numeric"},
    {">", KEY_NUMBER " > {v}::numeric"},   {"<=", KEY_NUMBER " <= {v}::numeric"},
    {">=", KEY_NUMBER " >= {v}::numeric"}, {NULL},
};

static const struct filter_relation on_time[] = {
    {"<", "{x} < {v}::timestamptz"},
    {">", "{x} > {v}::timestamptz"},
    {"<=", "{x} <= {v}::timestamptz"},
    {">=", "{x} >= {v}::timestamptz"},
    {NULL},
};

static const struct filter_relation on_bool[] = {
    {"=", "{x} = {v}::boolean"},
    {"<>", "{x} IS DISTINCT FROM {v}::boolean"},
    {NULL},
};

static const struct filter_relation on_key_bool[] = {
    {"=", "lower({x}) = {v}::text"},
    {"<>", "lower({x}) IS DISTINCT FROM {v}::text"},
    {NULL},
};

static const struct filter_relation on_null[] = {
    {"is null", "{x} IS NULL"},
    {"is not null", "{x} IS NOT NULL"},
    {NULL},
};

/* An array without elements is what an unset one is. */
static const struct filter_relation on_no_texts[] = {
    {"is null", "coalesce(cardinality({x}), 0) = 0"},
    {"is not null", "cardinality({x}) > 0"},
    {NULL},
};

/* Of several rows of a name the first that is for the column's type. */
static const struct filter_kind kinds[] = {
    {"string", BIT(FILTER_TEXT) | BIT(FILTER_SHORT_TEXT), false, VALUE_TEXT, on_text},
    {"stringOptions", BIT(FILTER_TEXT) | BIT(FILTER_SHORT_TEXT), false, VALUE_TEXTS, on_choice},
    {"number", BIT(FILTER_NUMBER), false, VALUE_NUMBER, on_number},
    {"datetime", BIT(FILTER_TIME), false, VALUE_TIME, on_time},
    {"boolean", BIT(FILTER_BOOL), false, VALUE_BOOL, on_bool},
    {"arrayOptions", BIT(FILTER_TEXTS), false, VALUE_TEXTS, on_texts},
    {"categoryOptions", BIT(FILTER_LISTS), true, VALUE_TEXTS, on_list},
    {"categoryOptions", BIT(FILTER_OBJECT), true, VALUE_TEXTS, on_choice},
    {"stringObject", BIT(FILTER_OBJECT), true, VALUE_TEXT, on_key_text},
    {"numberObject", BIT(FILTER_OBJECT), true, VALUE_NUMBER, on_key_number},
    {"booleanObject", BIT(FILTER_OBJECT), true, VALUE_BOOL, on_key_bool},
    {"booleanObject", BIT(FILTER_LISTS), true, VALUE_BOOL, on_list_bool},
    {"null", BIT(FILTER_TEXTS), false, VALUE_NONE, on_no_texts},
    {"null", BITS_OF_ALL, false, VALUE_NONE, on_null},
};

const struct filter_kind *filter_kind(struct slice name, enum filter_type type, bool *is_known)
{
    *is_known = false;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (slice_is(name, kinds[i].name)) {
            *is_known = true;
            if ((kinds[i].columns & BIT(type)) != 0) {
                return &kinds[i];
            }
        }
    }
    return NULL;
}

const struct filter_relation *filter_relation(const struct filter_kind *kind, struct slice name)
{
    for (const struct filter_relation *at = kind->relations; at->name != NULL; at++) {
        if (slice_is(name, at->name)) {
            return at;
        }
    }
    return NULL;
}
