/* show: fields, then the tree, then the payloads. */
#include "client/cli/show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/table.h"

enum { TITLE_WIDTH = 12, PAYLOAD_MAX = 600, DEPTH_MAX = 40 };

void show_line(const struct cli *cli, const char *title, char *value)
{
    if (strcmp(value, "-") != 0 && *value != '\0') {
        printf("%s%-*s%s%s\n", cli->has_color ? "\033[1m" : "", TITLE_WIDTH, title,
               cli->has_color ? "\033[0m" : "", value);
    }
    free(value);
}

/* Cut to PAYLOAD_MAX bytes at a character's end unless is_full. */
static void print_payload(const struct cli *cli, struct xtrace_slice object, const char *name,
                          bool is_full)
{
    struct xtrace_slice value = xtrace_json_find(object, name);
    if (value.data == NULL || xtrace_slice_is(value, "null")) {
        return;
    }
    char *text = xtrace_json_string(value);
    struct xtrace_slice whole = text != NULL ? (struct xtrace_slice){text, strlen(text)} : value;
    char *shown = cli_show_raw(whole);
    size_t len = strlen(shown);
    if (!is_full && len > PAYLOAD_MAX) {
        len = PAYLOAD_MAX;
        while (len > 0 && ((unsigned char)shown[len] & 0xc0) == 0x80) {
            len--;
        }
        shown[len] = '\0';
    }
    printf("\n%s%s%s\n%s", cli->has_color ? "\033[1m" : "", name, cli->has_color ? "\033[0m" : "",
           shown);
    printf(len < whole.len && !is_full ? "... (--full)\n" : "\n");
    free(shown);
    free(text);
}

static void print_payloads(const struct cli *cli, struct xtrace_slice object, bool is_full)
{
    print_payload(cli, object, "input", is_full);
    print_payload(cli, object, "output", is_full);
    print_payload(cli, object, "metadata", is_full);
}

/* ---- the tree -------------------------------------------------------------------------------- */

struct node {
    struct xtrace_slice observation;
    char *id;
    char *parent;
    size_t number; /* in the order of the answer, which is that of the start times */
    bool is_printed;
};

struct tree {
    struct node *nodes;
    size_t count;
    struct node **by_id;
    struct node **by_parent;
};

static const struct table_column columns[] = {
    {"OBSERVATION", false, true}, {"TYPE", false, false}, {"START (UTC)", false, false},
    {"LATENCY", true, false},     {"MODEL", false, true}, {"IN", true, false},
    {"OUT", true, false},         {"COST", true, false},  {"LEVEL", false, false},
};
enum { COLUMNS = sizeof(columns) / sizeof(columns[0]) };

static int compare_ids(const void *a, const void *b)
{
    return strcmp((*(struct node *const *)a)->id, (*(struct node *const *)b)->id);
}

static int compare_parents(const void *a, const void *b)
{
    const struct node *left = *(struct node *const *)a;
    const struct node *right = *(struct node *const *)b;
    int order = strcmp(left->parent, right->parent);
    return order != 0 ? order : left->number < right->number ? -1 : 1;
}

static void sort_tree(struct tree *tree)
{
    tree->by_id = cli_alloc(tree->count * sizeof(*tree->by_id));
    tree->by_parent = cli_alloc(tree->count * sizeof(*tree->by_parent));
    for (size_t i = 0; i < tree->count; i++) {
        tree->by_id[i] = tree->by_parent[i] = &tree->nodes[i];
    }
    qsort(tree->by_id, tree->count, sizeof(*tree->by_id), compare_ids);
    qsort(tree->by_parent, tree->count, sizeof(*tree->by_parent), compare_parents);
}

static void read_tree(struct tree *tree, struct xtrace_slice observations)
{
    struct xtrace_json_walk walk;
    struct xtrace_slice observation;
    size_t capacity = 0;
    *tree = (struct tree){.count = 0};
    if (!xtrace_json_enter(&walk, observations, '[')) {
        return;
    }
    while (xtrace_json_next(&walk, NULL, &observation)) {
        if (tree->count == capacity) {
            capacity = capacity > 0 ? capacity * 2 : 64;
            tree->nodes = realloc(tree->nodes, capacity * sizeof(*tree->nodes));
            if (tree->nodes == NULL) {
                cli_die(CLI_FAILED, "no memory");
            }
        }
        tree->nodes[tree->count] =
            (struct node){observation, cli_member(observation, "id"),
                          cli_member(observation, "parentObservationId"), tree->count, false};
        tree->count++;
    }
    sort_tree(tree);
}

static void free_tree(struct tree *tree)
{
    for (size_t i = 0; i < tree->count; i++) {
        free(tree->nodes[i].id);
        free(tree->nodes[i].parent);
    }
    free(tree->nodes);
    free(tree->by_id);
    free(tree->by_parent);
}

static char *indented_name(struct xtrace_slice observation, int depth)
{
    char *name = cli_member(observation, "name");
    size_t len = strlen(name) + (size_t)depth * 2 + 1;
    char *text = cli_alloc(len);
    snprintf(text, len, "%*s%s", depth * 2, "", name);
    free(name);
    return text;
}

static void add_observation(struct table *table, struct node *node, int depth)
{
    struct xtrace_slice o = node->observation;
    struct xtrace_slice usage = xtrace_json_find(o, "usage");
    struct xtrace_slice level = xtrace_json_find(o, "level");
    char *cells[COLUMNS] = {
        indented_name(o, depth),
        cli_member(o, "type"),
        cli_member_time(o, "startTime"),
        cli_member_seconds(o, "latency"),
        cli_member(o, "model"),
        cli_member(usage, "input"),
        cli_member(usage, "output"),
        cli_member_cost(o, "calculatedTotalCost"),
        cli_show(level),
    };
    const char *color = level.data == NULL                      ? NULL
                        : xtrace_slice_is(level, "\"ERROR\"")   ? "31"
                        : xtrace_slice_is(level, "\"WARNING\"") ? "33"
                                                                : NULL;
    table_add(table, cells, color);
    node->is_printed = true;
}

/* The first place in by_parent that is not before that parent. */
static size_t first_child(const struct tree *tree, const char *parent)
{
    size_t low = 0;
    size_t high = tree->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(tree->by_parent[middle]->parent, parent) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void add_children(struct table *table, struct tree *tree, const char *parent, int depth)
{
    for (size_t i = first_child(tree, parent); i < tree->count; i++) {
        struct node *node = tree->by_parent[i];
        if (strcmp(node->parent, parent) != 0) {
            return;
        }
        if (!node->is_printed) {
            add_observation(table, node, depth);
            if (depth < DEPTH_MAX) {
                add_children(table, tree, node->id, depth + 1);
            }
        }
    }
}

static bool has_parent(const struct tree *tree, const struct node *node)
{
    struct node wanted = {.id = node->parent};
    struct node *key = &wanted;
    return bsearch(&key, tree->by_id, tree->count, sizeof(key), compare_ids) != NULL;
}

static void print_tree(const struct cli *cli, struct tree *tree)
{
    struct table *table = table_create(columns, COLUMNS);
    /* Roots, and those whose parent is not here, with all that hangs on them; then what is left of
     * circles and of trees deeper than DEPTH_MAX. */
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < tree->count; i++) {
            struct node *node = &tree->nodes[i];
            if (!node->is_printed && (round == 1 || !has_parent(tree, node))) {
                add_observation(table, node, 0);
                add_children(table, tree, node->id, 1);
            }
        }
    }
    table_finish(table, cli);
}

static void print_observation_payloads(const struct cli *cli, struct xtrace_slice observation)
{
    char *name = cli_member(observation, "name");
    char *id = cli_member(observation, "id");
    printf("\n== %s (%s)\n", name, id);
    free(name);
    free(id);
    show_line(cli, "status", cli_member(observation, "statusMessage"));
    print_payloads(cli, observation, true);
}

void show_trace(const struct cli *cli, struct xtrace_slice trace)
{
    struct tree tree;
    show_line(cli, "trace", cli_member(trace, "id"));
    show_line(cli, "name", cli_member(trace, "name"));
    show_line(cli, "time (UTC)", cli_member_time(trace, "timestamp"));
    show_line(cli, "user", cli_member(trace, "userId"));
    show_line(cli, "session", cli_member(trace, "sessionId"));
    show_line(cli, "environment", cli_member(trace, "environment"));
    show_line(cli, "release", cli_member(trace, "release"));
    show_line(cli, "version", cli_member(trace, "version"));
    struct xtrace_slice tags = xtrace_json_find(trace, "tags");
    show_line(cli, "tags",
              cli_show(xtrace_slice_is(tags, "[]") ? (struct xtrace_slice){NULL, 0} : tags));
    show_line(cli, "latency", cli_member_seconds(trace, "latency"));
    show_line(cli, "cost", cli_member_cost(trace, "totalCost"));
    print_payloads(cli, trace, cli->is_full);
    read_tree(&tree, xtrace_json_find(trace, "observations"));
    if (tree.count > 0) {
        putchar('\n');
        print_tree(cli, &tree);
    }
    for (size_t i = 0; cli->is_full && i < tree.count; i++) {
        print_observation_payloads(cli, tree.nodes[i].observation);
    }
    free_tree(&tree);
}
