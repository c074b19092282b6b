#include "writer/price.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/buf.h"
#include "common/json_write.h"
#include "writer/number.h"

static const int64_t COUNT_MAX = 1000000000000000000; /* gateway/ingest/validate.h */

static const struct json_tree *member(const struct json_tree *object, const char *key)
{
    if (object == NULL || object->type != JSON_OBJECT) {
        return NULL;
    }
    for (uint32_t i = 0; i < object->count; i++) {
        if (slice_is(object->keys[i], key)) {
            return object->elements[i];
        }
    }
    return NULL;
}

static const struct json_tree *typed(const struct json_tree *object, const char *key,
                                     enum json_type type)
{
    const struct json_tree *found = member(object, key);
    return found != NULL && found->type == type ? found : NULL;
}

static struct slice text_of(const struct json_tree *object, const char *key)
{
    const struct json_tree *found = typed(object, key, JSON_STRING);
    return found != NULL ? found->text : (struct slice){NULL, 0};
}

static bool is_true(const struct json_tree *object, const char *key)
{
    const struct json_tree *found = typed(object, key, JSON_BOOL);
    return found != NULL && slice_is(found->text, "true");
}

/* ---- price rows ---- */

static bool read_operator(struct slice word, enum price_operator *out)
{
    static const char *const words[] = {
        [PRICE_GT] = "gt",   [PRICE_GTE] = "gte", [PRICE_LT] = "lt",
        [PRICE_LTE] = "lte", [PRICE_EQ] = "eq",   [PRICE_NEQ] = "neq",
    };
    for (int i = PRICE_GT; i <= PRICE_NEQ; i++) {
        if (slice_is(word, words[i])) {
            *out = (enum price_operator)i;
            return true;
        }
    }
    return false;
}

static bool read_condition(const struct json_tree *json, struct price_condition *out)
{
    struct slice source = text_of(json, "source");
    const struct json_tree *pattern = typed(json, "usageDetailPattern", JSON_STRING);
    const struct json_tree *value = typed(json, "value", JSON_NUMBER);
    *out = (struct price_condition){.source = PRICE_USAGE};
    if (pattern != NULL) {
        out->key = pattern->text;
        out->case_sensitive = is_true(json, "caseSensitive");
        out->value = value != NULL ? value->text : (struct slice){NULL, 0};
        return value != NULL && read_operator(text_of(json, "operator"), &out->operator);
    }
    out->source = slice_is(source, "metadata") ? PRICE_METADATA : PRICE_MODEL_PARAMETERS;
    out->key = text_of(json, "key");
    out->values = typed(json, "values", JSON_ARRAY);
    return (slice_is(source, "metadata") || slice_is(source, "model_parameters")) &&
           slice_is(text_of(json, "operator"), "in") && out->values != NULL;
}

/* The object's keys are sorted already. */
static void read_prices(const struct json_tree *json, struct price_tier *tier, struct arena *arena)
{
    uint32_t count = json != NULL ? json->count : 0;
    struct price_of_kind *prices = arena_alloc(arena, count * sizeof(*prices));
    tier->prices = prices;
    for (uint32_t i = 0; i < count; i++) {
        struct price_of_kind *price = &prices[tier->price_count];
        if (json->elements[i]->type == JSON_NUMBER &&
            money_parse(json->elements[i]->text, &price->price)) {
            price->kind = json->keys[i];
            tier->price_count++;
        }
    }
}

/* False: it cannot be told when it holds. */
static bool read_tier(const struct json_tree *json, struct price_tier *tier, struct arena *arena)
{
    const struct json_tree *conditions = typed(json, "conditions", JSON_ARRAY);
    *tier = (struct price_tier){.id = text_of(json, "id"), .name = text_of(json, "name")};
    read_prices(typed(json, "prices", JSON_OBJECT), tier, arena);
    if (is_true(json, "isDefault")) {
        return true;
    }
    if (conditions == NULL || conditions->count == 0) {
        return false;
    }
    struct price_condition *all = arena_alloc(arena, conditions->count * sizeof(*all));
    tier->conditions = all;
    tier->condition_count = conditions->count;
    for (uint32_t i = 0; i < conditions->count; i++) {
        if (!read_condition(conditions->elements[i], &all[i])) {
            return false;
        }
    }
    return true;
}

struct ranked {
    const struct price_tier *tier;
    int64_t priority;
    uint32_t place;
};

static int compare_ranks(const void *a, const void *b)
{
    const struct ranked *left = a;
    const struct ranked *right = b;
    bool left_last = left->tier->condition_count == 0;
    bool right_last = right->tier->condition_count == 0;
    if (left_last != right_last) {
        return left_last ? 1 : -1;
    }
    if (left->priority != right->priority) {
        return left->priority < right->priority ? -1 : 1;
    }
    return left->place < right->place ? -1 : 1;
}

void price_read_tiers(struct price_row *row, struct slice json, struct arena *arena)
{
    const struct json_tree *list = json_tree_parse(json, arena);
    uint32_t count = list->type == JSON_ARRAY ? list->count : 0;
    struct ranked *ranked = arena_alloc(arena, count * sizeof(*ranked));
    row->tier_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct price_tier *tier = arena_alloc(arena, sizeof(*tier));
        if (read_tier(list->elements[i], tier, arena)) {
            const struct json_tree *priority = typed(list->elements[i], "priority", JSON_NUMBER);
            struct ranked *rank = &ranked[row->tier_count++];
            *rank = (struct ranked){.tier = tier, .place = i};
            if (priority == NULL || !json_number_int64(priority->text, &rank->priority)) {
                rank->priority = INT64_MAX;
            }
        }
    }
    if (row->tier_count > 1) {
        qsort(ranked, row->tier_count, sizeof(*ranked), compare_ranks);
    }
    row->tiers = arena_alloc(arena, row->tier_count * sizeof(struct price_tier *));
    for (uint32_t i = 0; i < row->tier_count; i++) {
        row->tiers[i] = ranked[i].tier;
    }
}

/* ---- usage ---- */

int64_t price_count(const struct json_tree *number)
{
    int64_t count;
    bool good = number->type == JSON_NUMBER && json_number_int64(number->text, &count);
    return good && count >= 0 && count <= COUNT_MAX ? count : -1;
}

struct price_usage price_read_usage(struct slice json, struct arena *arena)
{
    const struct json_tree *tree = json.len > 0 ? json_tree_parse(json, arena) : NULL;
    bool good = tree != NULL && tree->type == JSON_OBJECT && tree->count > 0;
    return (struct price_usage){good ? tree : NULL};
}

/* ---- tiers ---- */

__extension__ typedef __int128 int128_t;

static struct slice print_sum(int128_t sum, char text[48])
{
    char reversed[48];
    int count = 0;
    do {
        reversed[count++] = (char)('0' + (int)(sum % 10));
        sum /= 10;
    } while (sum > 0);
    for (int i = 0; i < count; i++) {
        text[i] = reversed[count - 1 - i];
    }
    return (struct slice){text, (size_t)count};
}

static bool compares(enum price_operator operator, int order)
{
    switch (operator) {
    case PRICE_GT:
        return order > 0;
    case PRICE_GTE:
        return order >= 0;
    case PRICE_LT:
        return order < 0;
    case PRICE_LTE:
        return order <= 0;
    case PRICE_EQ:
        return order == 0;
    case PRICE_NEQ:
        return order != 0;
    }
    return false;
}

static bool usage_holds(const struct price_condition *condition, const struct price_facts *facts,
                        bool *unknown)
{
    const struct json_tree *tree = facts->usage.tree;
    char text[48];
    int128_t sum = 0;
    for (uint32_t i = 0; tree != NULL && i < tree->count; i++) {
        int64_t count = price_count(tree->elements[i]);
        if (count < 0) {
            continue;
        }
        enum price_match match = facts->match(facts->context, condition, tree->keys[i]);
        sum += match == PRICE_MATCHES ? count : 0;
        *unknown = *unknown || match == PRICE_MATCH_UNKNOWN;
    }
    return compares(condition->operator, number_compare(print_sum(sum, text), condition->value));
}

static bool is_scalar(const struct json_tree *value)
{
    return value != NULL &&
           (value->type == JSON_STRING || value->type == JSON_NUMBER || value->type == JSON_BOOL);
}

/* Scalars are told apart by their text: parameters arrive as strings or as numbers, as their SDK has it. */
static bool is_among(const struct json_tree *value, const struct json_tree *values)
{
    for (uint32_t i = 0; is_scalar(value) && i < values->count; i++) {
        const struct json_tree *one = values->elements[i];
        if (is_scalar(one) && (slice_equals(one->text, value->text) ||
                               (one->type == JSON_NUMBER && value->type == JSON_NUMBER &&
                                number_compare(one->text, value->text) == 0))) {
            return true;
        }
    }
    return false;
}

static const struct json_tree *find_key(const struct json_tree *object, struct slice key)
{
    for (uint32_t i = 0; object != NULL && object->type == JSON_OBJECT && i < object->count; i++) {
        if (slice_equals(object->keys[i], key)) {
            return object->elements[i];
        }
    }
    return NULL;
}

static bool holds(const struct price_condition *condition, const struct price_facts *facts,
                  bool *unknown)
{
    switch (condition->source) {
    case PRICE_USAGE:
        return usage_holds(condition, facts, unknown);
    case PRICE_MODEL_PARAMETERS:
        return is_among(find_key(facts->model_parameters, condition->key), condition->values);
    case PRICE_METADATA:
        return is_among(find_key(facts->metadata, condition->key), condition->values);
    }
    return false;
}

const struct price_tier *price_choose(const struct price_row *row, const struct price_facts *facts,
                                      bool *unknown)
{
    const struct price_tier *chosen = NULL;
    *unknown = false;
    for (uint32_t i = 0; i < row->tier_count && (chosen == NULL || *unknown); i++) {
        const struct price_tier *tier = row->tiers[i];
        bool all = true;
        for (uint32_t c = 0; c < tier->condition_count; c++) {
            all = holds(&tier->conditions[c], facts, unknown) && all;
        }
        chosen = chosen == NULL && all ? tier : chosen;
    }
    return chosen;
}

/* ---- the cost ---- */

static const struct money *find_price(const struct price_tier *tier, struct slice kind)
{
    uint32_t low = 0;
    uint32_t high = tier->price_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = json_tree_key_compare(tier->prices[middle].kind, kind);
        if (order == 0) {
            return &tier->prices[middle].price;
        }
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    return NULL;
}

static void print_cost(struct buf *details, struct slice kind, const struct money *cost)
{
    buf_append_char(details, details->len > 0 ? ',' : '{');
    json_write_string(details, kind);
    buf_append_char(details, ':');
    money_print(cost, details);
}

static struct slice take(struct buf *text, struct arena *arena)
{
    struct slice copy =
        text->len > 0 ? arena_copy(arena, buf_slice(text)) : (struct slice){NULL, 0};
    buf_finish(text);
    return copy;
}

struct costs_of_kinds {
    struct buf details;
    struct buf unpriced;
    struct money sum;
    bool has_any;
};

static void add_kind(struct costs_of_kinds *costs, const struct price_tier *tier, struct slice kind,
                     int64_t count)
{
    const struct money *price = find_price(tier, kind);
    if (price == NULL) {
        if (count > 0) {
            buf_append_char(&costs->unpriced, costs->unpriced.len > 0 ? ',' : '[');
            json_write_string(&costs->unpriced, kind);
        }
        return;
    }
    struct money cost = money_times(price, count);
    print_cost(&costs->details, kind, &cost);
    money_add(&costs->sum, &cost);
    costs->has_any = true;
}

void price_compute(const struct price_tier *tier, struct price_usage usage, struct arena *arena,
                   struct priced *out)
{
    const struct json_tree *tree = usage.tree;
    struct costs_of_kinds costs = {.details = BUF_EMPTY, .unpriced = BUF_EMPTY};
    struct buf text = BUF_EMPTY;
    int64_t total = -1;
    uint32_t kinds = 0;
    *out = (struct priced){.model_id = out->model_id};
    if (tier == NULL || tree == NULL) {
        return;
    }
    for (uint32_t i = 0; i < tree->count; i++) {
        int64_t count = price_count(tree->elements[i]);
        if (count >= 0 && slice_is(tree->keys[i], "total")) {
            total = count;
        } else if (count >= 0) {
            add_kind(&costs, tier, tree->keys[i], count);
            kinds++;
        }
    }
    const struct money *total_price = total >= 0 ? find_price(tier, SLICE_LITERAL("total")) : NULL;
    if (total_price != NULL) {
        costs.sum = money_times(total_price, total);
        costs.unpriced.len = 0; /* it is the price of all */
        costs.has_any = true;
    } else if (kinds == 0 && total > 0) {
        buf_append_text(&costs.unpriced, "[\"total\"");
    }
    out->tier_id = tier->id;
    out->tier_name = tier->name;
    if (costs.has_any) {
        print_cost(&costs.details, SLICE_LITERAL("total"), &costs.sum);
        buf_append_char(&costs.details, '}');
        money_print(&costs.sum, &text);
    }
    if (costs.unpriced.len > 0) {
        buf_append_char(&costs.unpriced, ']');
    }
    out->details = take(&costs.details, arena);
    out->total = take(&text, arena);
    out->unpriced = take(&costs.unpriced, arena);
}
