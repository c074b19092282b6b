/* pricing_tiers and a usage map as JSON, a line feed between them: whatever they are, the cost is JSON, its total a
 * storable number, and the same again. */
#include "common/decimal.h"
#include "common/json_read.h"
#include "tests/fuzz/check.h"
#include "writer/price.h"

static enum price_match match_length(void *context, const struct price_condition *condition,
                                     struct slice kind)
{
    return kind.len % 2 == condition->key.len % 2 ? PRICE_MATCHES : PRICE_MATCHES_NOT;
}

static void check_json(struct slice json, struct arena *arena)
{
    struct json_reader reader;
    struct slice copy = arena_copy(arena, json);
    json_reader_init(&reader, (char *)copy.data, copy.len, JSON_DEPTH_MAX, arena);
    json_skip(&reader, NULL);
    CHECK(json_end(&reader, NULL) == ERR_OK);
}

static struct priced compute(struct slice tiers, struct slice usage, struct arena *arena)
{
    struct price_row row = {.start_us = INT64_MIN};
    struct priced priced = {.total = {NULL, 0}};
    bool unknown;
    price_read_tiers(&row, tiers, arena);
    struct price_facts facts = {.usage = price_read_usage(usage, arena),
                                .model_parameters = json_tree_parse(usage, arena),
                                .metadata = json_tree_parse(tiers, arena),
                                .match = match_length};
    price_compute(price_choose(&row, &facts, &unknown), facts.usage, arena, &priced);
    CHECK(!unknown);
    return priced;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = ARENA_EMPTY;
    const uint8_t *line = size > 0 ? memchr(data, '\n', size) : NULL;
    size_t first = line != NULL ? (size_t)(line - data) : size;
    struct slice tiers = {(const char *)data, first};
    struct slice usage = {(const char *)data + first, size - first};
    struct priced priced = compute(tiers, usage, &arena);
    struct priced again = compute(tiers, usage, &arena);
    CHECK((priced.details.len > 0) == (priced.total.len > 0));
    if (priced.total.len > 0) {
        check_json(priced.details, &arena);
        CHECK(decimal_is_storable(priced.total));
    }
    if (priced.unpriced.len > 0) {
        check_json(priced.unpriced, &arena);
    }
    CHECK(slice_equals(priced.details, again.details) && slice_equals(priced.total, again.total));
    arena_finish(&arena);
    return 0;
}
