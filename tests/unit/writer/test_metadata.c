/* metadata: any order, split and repetition of pieces, stored in between or not, ends in the same tree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "writer/metadata.h"

enum { ROUNDS = 6000, PIECES_MAX = 6, SAYINGS_MAX = 256, PATH_MAX_KEYS = 5, LEAVES_MAX = 128 };

static uint64_t seed = 88172645463325252u;

static uint32_t random_below(uint32_t bound)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 32) % bound;
}

/* One leaf of one piece: what the definition in metadata.h speaks of. */
struct saying {
    char path[PATH_MAX_KEYS + 1]; /* one letter a key */
    int64_t version;
    char value[8];
};

struct model {
    struct saying sayings[SAYINGS_MAX];
    int count;
};

static void say(struct model *model, const char *path, int64_t version, const char *value)
{
    assert_true(model->count < SAYINGS_MAX);
    struct saying *saying = &model->sayings[model->count++];
    strcpy(saying->path, path);
    strcpy(saying->value, value);
    saying->version = strcmp(value, "{}") == 0 ? METADATA_NO_VERSION : version;
}

static void make_piece(struct model *model, struct buf *json, const char *path, int64_t version)
{
    static const char *const leaves[] = {"0", "1", "2", "[3]", "{}"};
    size_t depth = strlen(path);
    if (depth == PATH_MAX_KEYS - 1 || random_below(100) < (depth == 0 ? 6 : 45)) {
        const char *leaf = leaves[random_below(5)];
        buf_append_text(json, leaf);
        say(model, path, version, leaf);
        return;
    }
    uint32_t keys = 1 + random_below(7);
    const char *separator = "{";
    for (char key = 'a'; key <= 'c'; key++) {
        if ((keys >> (key - 'a') & 1) != 0) {
            char below[PATH_MAX_KEYS + 1];
            snprintf(below, sizeof(below), "%.4s%c", path, key);
            buf_printf(json, "%s\"%c\":", separator, key);
            make_piece(model, json, below, version);
            separator = ",";
        }
    }
    buf_append_char(json, '}');
}

static bool is_below(const struct saying *a, const struct saying *b)
{
    size_t length = strlen(b->path);
    return strlen(a->path) > length && strncmp(a->path, b->path, length) == 0;
}

/* "0" < "1" < "2" as numbers, and these before arrays: the order of json_tree_compare. */
static bool is_better(const struct saying *a, const struct saying *b)
{
    if (strcmp(a->path, b->path) != 0) {
        return false;
    }
    return a->version != b->version ? a->version > b->version : strcmp(a->value, b->value) > 0;
}

static bool is_alive(const struct model *model, const struct saying *saying)
{
    for (int i = 0; i < model->count; i++) {
        const struct saying *other = &model->sayings[i];
        if (is_better(other, saying) ||
            (is_below(saying, other) && other->version > saying->version)) {
            return false;
        }
    }
    return true;
}

static bool is_shown(const struct model *model, const struct saying *saying)
{
    if (!is_alive(model, saying)) {
        return false;
    }
    for (int i = 0; i < model->count; i++) {
        if (is_below(&model->sayings[i], saying) && is_alive(model, &model->sayings[i])) {
            return false;
        }
    }
    return true;
}

static const struct json_tree *at_path(const struct json_tree *tree, const char *path)
{
    for (; *path != '\0' && tree != NULL; path++) {
        const struct json_tree *below = NULL;
        for (uint32_t i = 0; tree->type == JSON_OBJECT && i < tree->count; i++) {
            if (tree->keys[i].len == 1 && tree->keys[i].data[0] == *path) {
                below = tree->elements[i];
            }
        }
        tree = below;
    }
    return tree;
}

static int count_leaves(const struct json_tree *tree)
{
    if (tree->type != JSON_OBJECT || tree->count == 0) {
        return 1;
    }
    int leaves = 0;
    for (uint32_t i = 0; i < tree->count; i++) {
        leaves += count_leaves(tree->elements[i]);
    }
    return leaves;
}

static struct slice print(const struct metadata *metadata, struct arena *arena)
{
    struct buf out = BUF_EMPTY;
    metadata_print(metadata, &out);
    struct slice text = arena_copy(arena, buf_slice(&out));
    buf_finish(&out);
    return text;
}

/* What shows is what the definition says: the same leaves and no more. */
static void assert_shows(const struct model *model, const struct metadata *metadata,
                         struct arena *arena)
{
    const struct json_tree *tree = json_tree_parse(print(metadata, arena), arena);
    int shown = 0;
    for (int i = 0; i < model->count; i++) {
        const struct saying *saying = &model->sayings[i];
        bool is_repeated = false;
        for (int j = 0; j < i; j++) {
            is_repeated = is_repeated || (strcmp(model->sayings[j].path, saying->path) == 0 &&
                                          is_shown(model, &model->sayings[j]));
        }
        if (!is_shown(model, saying) || is_repeated) {
            continue;
        }
        shown++;
        const struct json_tree *leaf = at_path(tree, saying->path);
        assert_non_null(leaf);
        const struct json_tree *wanted = json_tree_parse(slice_from(saying->value), arena);
        assert_int_equal(json_tree_compare(leaf, wanted), 0);
    }
    assert_int_equal(count_leaves(tree), shown);
}

/* Through the two columns and back. */
static const struct metadata *store(const struct metadata *metadata, struct arena *arena)
{
    struct buf versions = BUF_EMPTY;
    bool has_versions = metadata_print_versions(metadata, &versions);
    const struct json_tree *tree =
        has_versions ? json_tree_parse(buf_slice(&versions), arena) : NULL;
    if (tree != NULL) {
        assert_int_not_equal(tree->type, JSON_NONE);
    }
    const struct metadata *loaded = metadata_load(json_tree_parse(print(metadata, arena), arena),
                                                  tree, metadata_version(metadata), arena);
    buf_finish(&versions);
    assert_true(metadata_equals(loaded, metadata));
    return loaded;
}

static void shuffle(const struct metadata **pieces, uint32_t count)
{
    for (uint32_t i = count; i > 1; i--) {
        uint32_t other = random_below(i);
        const struct metadata *swapped = pieces[i - 1];
        pieces[i - 1] = pieces[other];
        pieces[other] = swapped;
    }
}

/* Merges neighbours in a random tree, some pieces twice, some results through storage. */
static const struct metadata *fold(const struct metadata *const *pieces, uint32_t count,
                                   struct arena *arena)
{
    const struct metadata *list[2 * PIECES_MAX];
    uint32_t left = 0;
    for (uint32_t i = 0; i < count; i++) {
        list[left++] = pieces[i];
        if (random_below(3) == 0) {
            list[left++] = pieces[i];
        }
    }
    shuffle(list, left);
    while (left > 1) {
        uint32_t at = random_below(left - 1);
        list[at] = metadata_merge(list[at], list[at + 1], arena);
        if (random_below(2) == 0) {
            list[at] = store(list[at], arena);
        }
        for (uint32_t i = at + 1; i + 1 < left; i++) {
            list[i] = list[i + 1];
        }
        left--;
    }
    return list[0];
}

static void any_order_ends_in_what_the_definition_says(void **state)
{
    struct arena arena = ARENA_EMPTY;
    for (int round = 0; round < ROUNDS; round++) {
        arena_reset(&arena);
        struct model model = {.count = 0};
        const struct metadata *pieces[PIECES_MAX];
        uint32_t count = 1 + random_below(PIECES_MAX);
        for (uint32_t i = 0; i < count; i++) {
            struct buf json = BUF_EMPTY;
            int64_t version = 1 + random_below(4);
            make_piece(&model, &json, "", version);
            pieces[i] = metadata_make(json_tree_parse(buf_slice(&json), &arena), version, &arena);
            buf_finish(&json);
        }
        const struct metadata *first = fold(pieces, count, &arena);
        assert_shows(&model, first, &arena);
        for (int again = 0; again < 4; again++) {
            assert_true(metadata_equals(fold(pieces, count, &arena), first));
        }
        assert_true(metadata_equals(metadata_merge(first, first, &arena), first));
    }
    arena_finish(&arena);
}

static const struct metadata *make(const char *json, int64_t version, struct arena *arena)
{
    return metadata_make(json_tree_parse(slice_from(json), arena), version, arena);
}

static void assert_prints(const struct metadata *metadata, const char *json, const char *versions)
{
    struct buf out = BUF_EMPTY;
    metadata_print(metadata, &out);
    buf_append_char(&out, '\0');
    assert_string_equal(out.data, json);
    buf_reset(&out);
    assert_int_equal(metadata_print_versions(metadata, &out), versions != NULL);
    buf_append_char(&out, '\0');
    assert_string_equal(out.data, versions != NULL ? versions : "");
    buf_finish(&out);
}

static void objects_merge_key_by_key_at_every_depth(void **state)
{
    struct arena arena = ARENA_EMPTY;
    const struct metadata *both =
        metadata_merge(make("{\"a\":1,\"b\":{\"c\":2,\"d\":3}}", 5, &arena),
                       make("{\"b\":{\"c\":4},\"e\":[1,2]}", 9, &arena), &arena);
    assert_prints(both, "{\"a\":1,\"b\":{\"c\":4,\"d\":3},\"e\":[1,2]}",
                  "{\"a\":5,\"b\":{\"d\":5}}");
    arena_finish(&arena);
}

static void one_version_needs_no_versions(void **state)
{
    struct arena arena = ARENA_EMPTY;
    assert_prints(make("{\"a\":{\"b\":{}},\"c\":null}", 5, &arena), "{\"a\":{\"b\":{}},\"c\":null}",
                  NULL);
    arena_finish(&arena);
}

static void an_empty_object_replaces_nothing(void **state)
{
    struct arena arena = ARENA_EMPTY;
    assert_prints(
        metadata_merge(make("{\"a\":1}", 5, &arena), make("{\"a\":{}}", 9, &arena), &arena),
        "{\"a\":1}", NULL);
    assert_prints(metadata_merge(make("{\"a\":1}", 5, &arena), make("{}", 9, &arena), &arena),
                  "{\"a\":1}", NULL);
    arena_finish(&arena);
}

static void a_hidden_leaf_still_erases_what_is_older(void **state)
{
    struct arena arena = ARENA_EMPTY;
    const struct metadata *hidden =
        metadata_merge(make("{\"a\":1}", 5, &arena), make("{\"a\":{\"x\":2}}", 7, &arena), &arena);
    assert_prints(hidden, "{\"a\":{\"x\":2}}", "{\"a\":[5]}");
    assert_prints(metadata_merge(hidden, make("{\"a\":{\"y\":3}}", 3, &arena), &arena),
                  "{\"a\":{\"x\":2}}", "{\"a\":[5]}");
    assert_prints(metadata_merge(hidden, make("{\"a\":{\"y\":3}}", 6, &arena), &arena),
                  "{\"a\":{\"x\":2,\"y\":3}}", "{\"a\":[5,{\"y\":6}]}");
    arena_finish(&arena);
}

static void what_is_no_json_is_kept_for_postgresql_to_refuse(void **state)
{
    struct arena arena = ARENA_EMPTY;
    assert_prints(make("{\"a\":", 5, &arena), "{\"a\":", NULL);
    arena_finish(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_merge_key_by_key_at_every_depth),
        cmocka_unit_test(one_version_needs_no_versions),
        cmocka_unit_test(an_empty_object_replaces_nothing),
        cmocka_unit_test(a_hidden_leaf_still_erases_what_is_older),
        cmocka_unit_test(what_is_no_json_is_kept_for_postgresql_to_refuse),
        cmocka_unit_test(any_order_ends_in_what_the_definition_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
