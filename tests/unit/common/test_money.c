/* money: exact, whatever the digits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/money.h"

static void assert_prints(const struct money *money, const char *wanted)
{
    struct buf text = BUF_EMPTY;
    money_print(money, &text);
    buf_append_char(&text, '\0');
    assert_string_equal(text.data, wanted);
    buf_finish(&text);
}

static void assert_product(const char *price, int64_t count, const char *wanted)
{
    struct money parsed;
    assert_true(money_parse(slice_from(price), &parsed));
    struct money product = money_times(&parsed, count);
    assert_prints(&product, wanted);
}

static void prices_times_counts_are_exact(void **state)
{
    assert_product("0.0000025", 1000, "0.0025");
    assert_product("2.5e-6", 1234567, "3.0864175");
    assert_product("7.5E-8", 1, "0.000000075");
    assert_product("0.1", 3, "0.3");
    assert_product("0", 1000000, "0");
    assert_product("3", 0, "0");
    assert_product("999999999", 1000000000000000000, "999999999000000000000000000");
    assert_product("1e-36", 1, "0.000000000000000000000000000000000001");
    assert_product("0.999999999999999999999999999999999999", 1000000000000000000,
                   "999999999999999999.999999999999999999");
}

static void a_number_may_be_spelled_in_any_way(void **state)
{
    assert_product("1.50", 1, "1.5");
    assert_product("150e-2", 1, "1.5");
    assert_product("0.0015E+3", 1, "1.5");
    assert_product("0000.0", 1, "0");
    assert_product("0e999999999999", 1, "0");
    assert_product("100000000000e-11", 1, "1");
}

static void what_is_no_price_is_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "-1",
                                      "-0.5",
                                      ".5",
                                      "1.2.3",
                                      "1e",
                                      "e5",
                                      "1x",
                                      "1e5x",
                                      "1e+",
                                      "1000000000",
                                      "1e-37",
                                      "1e999999999999",
                                      "1.0000000000000000000000000000000000001"};
    struct money money;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(money_parse(slice_from(bad[i]), &money));
    }
}

static void sums_carry(void **state)
{
    struct money sum;
    struct money more;
    assert_true(money_parse(SLICE_LITERAL("999999999.999999999999999999999999999999999999"), &sum));
    assert_true(money_parse(SLICE_LITERAL("1e-36"), &more));
    money_add(&sum, &more);
    assert_prints(&sum, "1000000000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prices_times_counts_are_exact),
        cmocka_unit_test(a_number_may_be_spelled_in_any_way),
        cmocka_unit_test(what_is_no_price_is_refused),
        cmocka_unit_test(sums_carry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
