/* price: which tier holds, what each kind costs, and what has no price. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "writer/price.h"

static struct arena arena;

static int reset(void **state)
{
    arena_reset(&arena);
    return 0;
}

/* The regexes here are plain words. */
static enum price_match match_word(void *context, const struct price_condition *condition,
                                   struct slice kind)
{
    int *left = context;
    if (left != NULL && (*left)-- <= 0) {
        return PRICE_MATCH_UNKNOWN;
    }
    bool found = memmem(kind.data, kind.len, condition->key.data, condition->key.len) != NULL;
    return found ? PRICE_MATCHES : PRICE_MATCHES_NOT;
}

static struct price_row read_row(const char *tiers)
{
    struct price_row row = {.start_us = INT64_MIN};
    price_read_tiers(&row, slice_from(tiers), &arena);
    return row;
}

static struct price_facts facts_of(const char *usage)
{
    return (struct price_facts){.usage = price_read_usage(slice_from(usage), &arena),
                                .match = match_word};
}

static void assert_text(struct slice text, const char *wanted)
{
    if (wanted == NULL) {
        assert_null(text.data);
        return;
    }
    assert_non_null(text.data);
    assert_string_equal(arena_text(&arena, text), wanted);
}

static void assert_cost(const char *prices, const char *usage, const char *details,
                        const char *total, const char *unpriced)
{
    char tiers[1024];
    bool unknown;
    struct priced priced = {.total = {NULL, 0}};
    snprintf(tiers, sizeof(tiers),
             "[{\"id\":\"t\",\"name\":\"Standard\",\"isDefault\":true,\"priority\":0,"
             "\"conditions\":[],\"prices\":%s}]",
             prices);
    struct price_row row = read_row(tiers);
    struct price_facts facts = facts_of(usage);
    price_compute(price_choose(&row, &facts, &unknown), facts.usage, &arena, &priced);
    assert_text(priced.details, details);
    assert_text(priced.total, total);
    assert_text(priced.unpriced, unpriced);
}

static void each_kind_costs_its_price(void **state)
{
    assert_cost("{\"input\":0.0000025,\"output\":0.00001}",
                "{\"input\":1000,\"output\":10,\"total\":1010}",
                "{\"input\":0.0025,\"output\":0.0001,\"total\":0.0026}", "0.0026", NULL);
    assert_cost("{\"input\":1,\"output\":2}", "{\"input\":0,\"output\":0}",
                "{\"input\":0,\"output\":0,\"total\":0}", "0", NULL);
}

static void kinds_without_a_price_are_named(void **state)
{
    assert_cost("{\"input\":1}", "{\"input\":2,\"b\":1,\"a\":3,\"none\":0}",
                "{\"input\":2,\"total\":2}", "2", "[\"a\",\"b\"]");
    assert_cost("{\"input\":1}", "{\"output\":2,\"total\":2}", NULL, NULL, "[\"output\"]");
    assert_cost("{\"input\":1}", "{\"total\":2}", NULL, NULL, "[\"total\"]");
}

static void a_price_of_the_total_is_the_price_of_all(void **state)
{
    assert_cost("{\"total\":3}", "{\"input\":2,\"output\":1,\"total\":4}", "{\"total\":12}", "12",
                NULL);
    assert_cost("{\"total\":3,\"input\":1}", "{\"input\":2,\"total\":2}",
                "{\"input\":2,\"total\":6}", "6", NULL);
    assert_cost("{\"total\":3,\"input\":1}", "{\"input\":2}", "{\"input\":2,\"total\":2}", "2",
                NULL);
}

static void what_is_no_count_is_as_if_absent(void **state)
{
    assert_cost("{\"input\":1,\"output\":1}",
                "{\"input\":-1,\"output\":1.5,\"a\":\"3\",\"b\":1000000000000000001}", NULL, NULL,
                NULL);
    assert_cost("{\"input\":1}", "[1]", NULL, NULL, NULL);
    assert_cost("{\"input\":1}", "{", NULL, NULL, NULL);
    assert_cost("{\"input\":1}", "", NULL, NULL, NULL);
}

static void prices_that_are_none_are_left_out(void **state)
{
    assert_cost("{\"input\":-1,\"output\":\"2\",\"a\":1e10,\"b\":1}",
                "{\"input\":1,\"output\":1,\"a\":1,\"b\":1}", "{\"b\":1,\"total\":1}", "1",
                "[\"a\",\"input\",\"output\"]");
}

#define TIER(name, priority, conditions)                                                           \
    "{\"id\":\"" name "\",\"name\":\"" name "\",\"priority\":" priority                            \
    ",\"isDefault\":false,\"conditions\":[" conditions "],\"prices\":{\"input\":1}}"
#define DEFAULT_TIER                                                                               \
    "{\"id\":\"default\",\"name\":\"Standard\",\"isDefault\":true,\"priority\":0,"                 \
    "\"conditions\":[],\"prices\":{\"input\":1}}"
#define SUM(operator, value)                                                                       \
    "{\"usageDetailPattern\":\"input\",\"operator\":\"" operator"\",\"value\":" value "}"

static void assert_tier(const char *tiers, const struct price_facts *facts, const char *wanted)
{
    bool unknown;
    struct price_row row = read_row(tiers);
    const struct price_tier *tier = price_choose(&row, facts, &unknown);
    assert_false(unknown);
    if (wanted == NULL) {
        assert_null(tier);
    } else {
        assert_non_null(tier);
        assert_text(tier->id, wanted);
    }
}

static void assert_condition(const char *condition, const char *usage, bool holds)
{
    char tiers[1024];
    struct price_facts facts = facts_of(usage);
    snprintf(tiers, sizeof(tiers), "[" DEFAULT_TIER "," TIER("other", "1", "%s") "]", condition);
    assert_tier(tiers, &facts, holds ? "other" : "default");
}

static void conditions_compare_sums_of_kinds(void **state)
{
    const char *usage = "{\"input\":150,\"input_cached_tokens\":50,\"output\":1000}";
    assert_condition(SUM("gt", "199"), usage, true);
    assert_condition(SUM("gt", "200"), usage, false);
    assert_condition(SUM("gte", "200"), usage, true);
    assert_condition(SUM("lt", "200"), usage, false);
    assert_condition(SUM("lt", "200.5"), usage, true);
    assert_condition(SUM("lte", "2e2"), usage, true);
    assert_condition(SUM("eq", "200.0"), usage, true);
    assert_condition(SUM("neq", "200"), usage, false);
    assert_condition(SUM("gt", "-1"), "", true);
    assert_condition(SUM("gt", "64999999999999999999"),
                     "{\"input1\":1000000000000000000,\"input2\":1000000000000000000}", false);
}

static void the_first_tier_of_which_all_conditions_hold_counts(void **state)
{
    const char *tiers = "[" TIER("third", "3", SUM("gt", "0")) "," DEFAULT_TIER "," TIER(
        "second", "2", SUM("gt", "10")) "," TIER("first", "1",
                                                 SUM("gt", "10") "," SUM("lt", "20")) "]";
    struct price_facts facts = facts_of("{\"input\":15}");
    assert_tier(tiers, &facts, "first");
    facts = facts_of("{\"input\":25}");
    assert_tier(tiers, &facts, "second");
    facts = facts_of("{\"input\":5}");
    assert_tier(tiers, &facts, "third");
    facts = facts_of("{\"output\":5}");
    assert_tier(tiers, &facts, "default");
}

static void conditions_look_at_parameters_and_metadata(void **state)
{
#define IN(source, key, values)                                                                    \
    "{\"source\":\"" source "\",\"key\":\"" key "\",\"operator\":\"in\",\"values\":" values "}"
    const char *tiers = "[" DEFAULT_TIER "," TIER(
        "flex", "1",
        IN("model_parameters", "service_tier",
           "[\"flex\",\"batch\",\"1\"]")) "," TIER("eu", "2",
                                                   IN("metadata", "region", "[\"eu\"]")) "]";
    struct price_facts facts = facts_of("{\"input\":1}");
    assert_tier(tiers, &facts, "default");
    facts.metadata = json_tree_parse(SLICE_LITERAL("{\"region\":\"eu\"}"), &arena);
    assert_tier(tiers, &facts, "eu");
    facts.model_parameters = json_tree_parse(SLICE_LITERAL("{\"service_tier\":\"Flex\"}"), &arena);
    assert_tier(tiers, &facts, "eu");
    facts.model_parameters = json_tree_parse(SLICE_LITERAL("{\"service_tier\":\"flex\"}"), &arena);
    assert_tier(tiers, &facts, "flex");
    facts.model_parameters = json_tree_parse(SLICE_LITERAL("{\"service_tier\":1}"), &arena);
    assert_tier(tiers, &facts, "flex");
    facts.model_parameters =
        json_tree_parse(SLICE_LITERAL("{\"service_tier\":[\"flex\"]}"), &arena);
    assert_tier(tiers, &facts, "eu");
    facts.model_parameters = json_tree_parse(SLICE_LITERAL("[\"service_tier\"]"), &arena);
    assert_tier(tiers, &facts, "eu");
}

static void a_tier_that_cannot_be_understood_does_not_hold(void **state)
{
    struct price_facts facts = facts_of("{\"input\":1}");
    static const char *const conditions[] = {
        "1", "{}", "{\"usageDetailPattern\":\"input\",\"operator\":\"between\",\"value\":1}",
        "{\"usageDetailPattern\":\"input\",\"operator\":\"gte\"}",
        "{\"source\":\"elsewhere\",\"key\":\"k\",\"operator\":\"in\",\"values\":[]}"};
    for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++) {
        char tiers[512];
        snprintf(tiers, sizeof(tiers), "[" DEFAULT_TIER "," TIER("other", "1", "%s") "]",
                 conditions[i]);
        assert_tier(tiers, &facts, "default");
    }
    assert_tier("[" TIER("other", "1", "") "]", &facts, NULL);
    assert_tier("[]", &facts, NULL);
    assert_tier("{", &facts, NULL);
}

static void whoever_matches_is_asked_of_all_that_may_matter(void **state)
{
    struct price_row row =
        read_row("[" DEFAULT_TIER "," TIER("other", "1", SUM("gt", "10") "," SUM("lt", "5")) "]");
    struct price_facts facts = facts_of("{\"input\":1,\"output\":2}");
    int left = 3;
    bool unknown;
    facts.context = &left;
    price_choose(&row, &facts, &unknown);
    assert_true(unknown);
    assert_int_equal(left, -1);
    left = 4;
    price_choose(&row, &facts, &unknown);
    assert_false(unknown);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(each_kind_costs_its_price, reset),
        cmocka_unit_test_setup(kinds_without_a_price_are_named, reset),
        cmocka_unit_test_setup(a_price_of_the_total_is_the_price_of_all, reset),
        cmocka_unit_test_setup(what_is_no_count_is_as_if_absent, reset),
        cmocka_unit_test_setup(prices_that_are_none_are_left_out, reset),
        cmocka_unit_test_setup(conditions_compare_sums_of_kinds, reset),
        cmocka_unit_test_setup(the_first_tier_of_which_all_conditions_hold_counts, reset),
        cmocka_unit_test_setup(conditions_look_at_parameters_and_metadata, reset),
        cmocka_unit_test_setup(a_tier_that_cannot_be_understood_does_not_hold, reset),
        cmocka_unit_test_setup(whoever_matches_is_asked_of_all_that_may_matter, reset),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_finish(&arena);
    return failed;
}
