#include "writer/metadata.h"

#include <inttypes.h>

#include "common/json_write.h"

/* Without children: a leaf that shows. With children: has_leaf means a tombstone. */
struct metadata {
    bool has_leaf;
    int64_t version;              /* of the leaf or tombstone */
    const struct json_tree *leaf; /* NULL for a tombstone */
    uint32_t count;
    struct slice *keys; /* sorted by json_tree_key_compare */
    const struct metadata **children;
};

static struct metadata *make_leaf(const struct json_tree *value, int64_t version,
                                  struct arena *arena)
{
    struct metadata *node = arena_zalloc(arena, sizeof(*node));
    bool is_empty = value->type == JSON_OBJECT && value->count == 0;
    node->has_leaf = true;
    node->leaf = value;
    node->version = is_empty ? METADATA_NO_VERSION : version;
    return node;
}

static struct metadata *make_parent(uint32_t capacity, struct arena *arena)
{
    struct metadata *node = arena_zalloc(arena, sizeof(*node));
    node->keys = arena_alloc(arena, capacity * sizeof(*node->keys));
    node->children = arena_alloc(arena, capacity * sizeof(const struct metadata *));
    return node;
}

static void add_child(struct metadata *node, struct slice key, const struct metadata *child)
{
    if (child != NULL) {
        node->keys[node->count] = key;
        node->children[node->count++] = child;
    }
}

const struct metadata *metadata_make(const struct json_tree *value, int64_t version,
                                     struct arena *arena)
{
    return metadata_load(value, NULL, version, arena);
}

/* The member of an object, or NULL. */
static const struct json_tree *member(const struct json_tree *object, struct slice key)
{
    uint32_t low = 0;
    uint32_t high = object != NULL && object->type == JSON_OBJECT ? object->count : 0;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = json_tree_key_compare(object->keys[middle], key);
        if (order == 0) {
            return object->elements[middle];
        }
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    return NULL;
}

static int64_t read_version(const struct json_tree *number, int64_t fallback)
{
    int64_t version;
    bool good =
        number != NULL && number->type == JSON_NUMBER && json_number_int64(number->text, &version);
    return good ? version : fallback;
}

const struct metadata *metadata_load(const struct json_tree *value,
                                     const struct json_tree *versions, int64_t column_version,
                                     struct arena *arena)
{
    if (value->type != JSON_OBJECT || value->count == 0) {
        return make_leaf(value, read_version(versions, column_version), arena);
    }
    struct metadata *node = make_parent(value->count, arena);
    if (versions != NULL && versions->type == JSON_ARRAY && versions->count > 0) {
        node->has_leaf = true;
        node->version = read_version(versions->elements[0], METADATA_NO_VERSION);
        versions = versions->count > 1 ? versions->elements[1] : NULL;
    }
    for (uint32_t i = 0; i < value->count; i++) {
        add_child(node, value->keys[i],
                  metadata_load(value->elements[i], member(versions, value->keys[i]),
                                column_version, arena));
    }
    return node;
}

static bool is_better(const struct metadata *a, const struct metadata *b)
{
    if (a->version != b->version) {
        return a->version > b->version;
    }
    /* Beside a tombstone of the same version lie children that hide either. */
    return a->leaf != NULL && (b->leaf == NULL || json_tree_compare(a->leaf, b->leaf) > 0);
}

static const struct metadata *merge(const struct metadata *a, const struct metadata *b,
                                    int64_t floor, struct arena *arena);

static void merge_children(struct metadata *node, const struct metadata *a,
                           const struct metadata *b, int64_t floor, struct arena *arena)
{
    uint32_t i = 0;
    uint32_t j = 0;
    uint32_t a_count = a != NULL ? a->count : 0;
    uint32_t b_count = b != NULL ? b->count : 0;
    while (i < a_count || j < b_count) {
        int order = i == a_count   ? 1
                    : j == b_count ? -1
                                   : json_tree_key_compare(a->keys[i], b->keys[j]);
        struct slice key = order <= 0 ? a->keys[i] : b->keys[j];
        const struct metadata *left = order <= 0 ? a->children[i++] : NULL;
        const struct metadata *right = order >= 0 ? b->children[j++] : NULL;
        add_child(node, key, merge(left, right, floor, arena));
    }
}

/* floor: the greatest version of a leaf above, which erases what is older. NULL: nothing is left. */
static const struct metadata *merge(const struct metadata *a, const struct metadata *b,
                                    int64_t floor, struct arena *arena)
{
    if (floor == METADATA_NO_VERSION && (a == NULL || b == NULL)) {
        return a != NULL ? a : b;
    }
    const struct metadata *leaf = a != NULL && a->has_leaf ? a : NULL;
    if (b != NULL && b->has_leaf && (leaf == NULL || is_better(b, leaf))) {
        leaf = b;
    }
    if (leaf != NULL && leaf->version < floor) {
        leaf = NULL;
    }
    if (leaf != NULL) {
        floor = leaf->version;
    }
    struct metadata *node =
        make_parent((a != NULL ? a->count : 0) + (b != NULL ? b->count : 0), arena);
    merge_children(node, a, b, floor, arena);
    if (node->count == 0) {
        return leaf == NULL ? NULL : make_leaf(leaf->leaf, leaf->version, arena);
    }
    if (leaf != NULL && leaf->version != METADATA_NO_VERSION) {
        node->has_leaf = true;
        node->version = leaf->version;
    }
    return node;
}

const struct metadata *metadata_merge(const struct metadata *a, const struct metadata *b,
                                      struct arena *arena)
{
    return merge(a, b, METADATA_NO_VERSION, arena);
}

int64_t metadata_version(const struct metadata *metadata)
{
    int64_t version = metadata->has_leaf ? metadata->version : METADATA_NO_VERSION;
    for (uint32_t i = 0; i < metadata->count; i++) {
        int64_t below = metadata_version(metadata->children[i]);
        version = below > version ? below : version;
    }
    return version;
}

bool metadata_equals(const struct metadata *a, const struct metadata *b)
{
    if (a == b) {
        return true;
    }
    if (a->count != b->count || a->has_leaf != b->has_leaf ||
        (a->has_leaf && a->version != b->version)) {
        return false;
    }
    if (a->count == 0) {
        return json_tree_compare(a->leaf, b->leaf) == 0;
    }
    for (uint32_t i = 0; i < a->count; i++) {
        if (!slice_equals(a->keys[i], b->keys[i]) ||
            !metadata_equals(a->children[i], b->children[i])) {
            return false;
        }
    }
    return true;
}

void metadata_print(const struct metadata *metadata, struct buf *out)
{
    if (metadata->count == 0) {
        json_tree_print(metadata->leaf, out);
        return;
    }
    for (uint32_t i = 0; i < metadata->count; i++) {
        buf_append_char(out, i == 0 ? '{' : ',');
        json_write_string(out, metadata->keys[i]);
        buf_append_char(out, ':');
        metadata_print(metadata->children[i], out);
    }
    buf_append_char(out, '}');
}

static bool print_exceptions(const struct metadata *node, int64_t usual, struct buf *out);

/* {"key": exception, ...}, or nothing and false. */
static bool print_children(const struct metadata *node, int64_t usual, struct buf *out)
{
    bool any = false;
    for (uint32_t i = 0; i < node->count; i++) {
        size_t before = out->len;
        buf_append_char(out, any ? ',' : '{');
        json_write_string(out, node->keys[i]);
        buf_append_char(out, ':');
        if (print_exceptions(node->children[i], usual, out)) {
            any = true;
        } else {
            out->len = before;
        }
    }
    if (any) {
        buf_append_char(out, '}');
    }
    return any;
}

static bool print_exceptions(const struct metadata *node, int64_t usual, struct buf *out)
{
    if (node->count == 0) {
        if (node->version == usual || node->version == METADATA_NO_VERSION) {
            return false;
        }
        buf_printf(out, "%" PRId64, node->version);
        return true;
    }
    if (!node->has_leaf) {
        return print_children(node, usual, out);
    }
    buf_printf(out, "[%" PRId64 ",", node->version);
    if (!print_children(node, usual, out)) {
        out->len--;
    }
    buf_append_char(out, ']');
    return true;
}

bool metadata_print_versions(const struct metadata *metadata, struct buf *out)
{
    return print_exceptions(metadata, metadata_version(metadata), out);
}
