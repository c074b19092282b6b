#include "writer/json_tree.h"

#include <stdlib.h>

#include "common/json_write.h"
#include "writer/number.h"

struct member {
    struct slice key;
    const struct json_tree *value;
    uint32_t place; /* as sent */
    struct member *next;
};

static const struct json_tree *read_value(struct json_reader *reader, struct arena *arena);

int json_tree_key_compare(struct slice a, struct slice b)
{
    if (a.len != b.len) {
        return a.len < b.len ? -1 : 1;
    }
    return slice_compare(a, b);
}

/* By key, the last sent first. */
static int compare_members(const void *a, const void *b)
{
    const struct member *left = a;
    const struct member *right = b;
    int order = json_tree_key_compare(left->key, right->key);
    return order != 0 ? order : left->place > right->place ? -1 : 1;
}

static struct member *add_member(struct member **newest, struct arena *arena)
{
    struct member *member = arena_zalloc(arena, sizeof(*member));
    member->next = *newest;
    member->place = *newest != NULL ? (*newest)->place + 1 : 0;
    *newest = member;
    return member;
}

static struct member *members_in_order(struct member *newest, struct arena *arena)
{
    uint32_t count = newest != NULL ? newest->place + 1 : 0;
    struct member *members = arena_alloc(arena, count * sizeof(*members));
    for (struct member *member = newest; member != NULL; member = member->next) {
        members[member->place] = *member;
    }
    return members;
}

static void read_object(struct json_reader *reader, struct arena *arena, struct json_tree *tree)
{
    struct member *newest = NULL;
    struct slice key;
    while (json_object_next(reader, &key)) {
        struct member *member = add_member(&newest, arena);
        member->key = key;
        member->value = read_value(reader, arena);
    }
    uint32_t count = newest != NULL ? newest->place + 1 : 0;
    struct member *members = members_in_order(newest, arena);
    if (count > 1) {
        qsort(members, count, sizeof(*members), compare_members);
    }
    tree->keys = arena_alloc(arena, count * sizeof(*tree->keys));
    tree->elements = arena_alloc(arena, count * sizeof(const struct json_tree *));
    for (uint32_t i = 0; i < count; i++) {
        if (tree->count == 0 || !slice_equals(tree->keys[tree->count - 1], members[i].key)) {
            tree->keys[tree->count] = members[i].key;
            tree->elements[tree->count++] = members[i].value;
        }
    }
}

static void read_array(struct json_reader *reader, struct arena *arena, struct json_tree *tree)
{
    struct member *newest = NULL;
    while (json_array_next(reader)) {
        add_member(&newest, arena)->value = read_value(reader, arena);
    }
    tree->count = newest != NULL ? newest->place + 1 : 0;
    tree->elements = arena_alloc(arena, tree->count * sizeof(const struct json_tree *));
    for (struct member *member = newest; member != NULL; member = member->next) {
        tree->elements[member->place] = member->value;
    }
}

static const struct json_tree *read_value(struct json_reader *reader, struct arena *arena)
{
    struct json_tree *tree = arena_zalloc(arena, sizeof(*tree));
    bool flag = false;
    tree->type = json_peek(reader);
    switch (tree->type) {
    case JSON_OBJECT:
        if (json_object_begin(reader)) {
            read_object(reader, arena, tree);
        }
        break;
    case JSON_ARRAY:
        if (json_array_begin(reader)) {
            read_array(reader, arena, tree);
        }
        break;
    case JSON_STRING:
        json_string(reader, &tree->text);
        break;
    case JSON_NUMBER:
        json_number(reader, &tree->text);
        break;
    case JSON_BOOL:
        json_bool(reader, &flag);
        tree->text = flag ? SLICE_LITERAL("true") : SLICE_LITERAL("false");
        break;
    case JSON_NULL:
        json_null(reader);
        break;
    case JSON_NONE:
        json_fail(reader, "no value");
        break;
    }
    return tree;
}

const struct json_tree *json_tree_parse(struct slice text, struct arena *arena)
{
    char *copy = arena_text(arena, text);
    struct json_reader reader;
    json_reader_init(&reader, copy, text.len, JSON_DEPTH_MAX, arena);
    const struct json_tree *tree = read_value(&reader, arena);
    if (json_end(&reader, NULL) != ERR_OK) {
        struct json_tree *none = arena_zalloc(arena, sizeof(*none));
        none->text = arena_copy(arena, text);
        return none;
    }
    return tree;
}

void json_tree_print(const struct json_tree *tree, struct buf *out)
{
    switch (tree->type) {
    case JSON_OBJECT:
    case JSON_ARRAY:
        buf_append_char(out, tree->type == JSON_OBJECT ? '{' : '[');
        for (uint32_t i = 0; i < tree->count; i++) {
            if (i > 0) {
                buf_append_char(out, ',');
            }
            if (tree->type == JSON_OBJECT) {
                json_write_string(out, tree->keys[i]);
                buf_append_char(out, ':');
            }
            json_tree_print(tree->elements[i], out);
        }
        buf_append_char(out, tree->type == JSON_OBJECT ? '}' : ']');
        break;
    case JSON_STRING:
        json_write_string(out, tree->text);
        break;
    case JSON_NULL:
        buf_append_text(out, "null");
        break;
    case JSON_NONE:
    case JSON_BOOL:
    case JSON_NUMBER:
        buf_append_slice(out, tree->text);
        break;
    }
}

static int compare_numbers(struct slice a, struct slice b)
{
    int order = number_compare(a, b);
    return order != 0 ? order : number_scale(a) - number_scale(b);
}

int json_tree_compare(const struct json_tree *a, const struct json_tree *b)
{
    if (a == b) {
        return 0;
    }
    if (a->type != b->type) {
        return a->type < b->type ? -1 : 1;
    }
    if (a->type == JSON_NUMBER) {
        return compare_numbers(a->text, b->text);
    }
    if (a->type != JSON_OBJECT && a->type != JSON_ARRAY) {
        return slice_compare(a->text, b->text);
    }
    for (uint32_t i = 0; i < a->count && i < b->count; i++) {
        int order = a->type == JSON_OBJECT ? json_tree_key_compare(a->keys[i], b->keys[i]) : 0;
        if (order == 0) {
            order = json_tree_compare(a->elements[i], b->elements[i]);
        }
        if (order != 0) {
            return order;
        }
    }
    return (a->count > b->count) - (a->count < b->count);
}
