/*
 * json_tree: a JSON value as jsonb sees it: object keys once (the last one of a repeated key) and
 * sorted, strings unescaped. For merging and comparing; payloads never come here. All memory is the
 * arena's, nodes never change once made, so they may be shared. Not thread-safe.
 */
#pragma once

#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/json_read.h"
#include "common/slice.h"

struct json_tree {
    enum json_type type; /* JSON_NONE: text is not JSON and is kept as it is */
    struct slice text;   /* number: as sent; string: unescaped; bool: "true", "false" */
    uint32_t count;      /* of an array or object */
    const struct json_tree **elements;
    struct slice *keys; /* of an object: sorted by json_tree_key_compare */
};

/* text is copied. Never NULL: what is no JSON becomes one node of type JSON_NONE. */
const struct json_tree *json_tree_parse(struct slice text, struct arena *arena);

void json_tree_print(const struct json_tree *tree, struct buf *out);

/* A total order in which equal means equal to a reader of jsonb. <0, 0, >0. */
int json_tree_compare(const struct json_tree *a, const struct json_tree *b);

/* The order of keys: shorter first, then bytewise. */
int json_tree_key_compare(struct slice a, struct slice b);
