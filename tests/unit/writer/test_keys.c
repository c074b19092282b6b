/* What `key add` and `project add` are asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "writer/keys.h"
#include "writer/projects.h"

/* 2026-01-01T00:00:00Z */
static const int64_t now_us = INT64_C(1767225600000000);

static enum err read_key(struct key_order *order, const char *const *words)
{
    struct error error;
    int count = 0;
    while (words[count] != NULL) {
        count++;
    }
    return key_order_read(count, (char **)words, now_us, order, &error);
}

static void a_key_is_whole_and_for_ever_unless_asked_otherwise(void **state)
{
    struct key_order order;
    assert_int_equal(read_key(&order, (const char *[]){"acme", NULL}), ERR_OK);
    assert_string_equal(order.project, "acme");
    assert_string_equal(order.scopes, "all");
    assert_string_equal(order.expires, "");
    assert_string_equal(order.name, "");
    assert_null(order.public_key);
    assert_false(order.as_json);
    assert_false(order.secret_from_stdin);
}

static void options_stand_before_and_behind_the_project(void **state)
{
    struct key_order order;
    assert_int_equal(read_key(&order, (const char *[]){"--json", "--scope", "read,scores", "acme",
                                                       "--name", "the dashboard", NULL}),
                     ERR_OK);
    assert_string_equal(order.project, "acme");
    assert_string_equal(order.scopes, "read,scores");
    assert_string_equal(order.name, "the dashboard");
    assert_true(order.as_json);
    assert_int_equal(read_key(&order, (const char *[]){"--", "--json", NULL}), ERR_OK);
    assert_string_equal(order.project, "--json");
}

static const char *expiry(const char *text)
{
    static struct key_order order;
    return read_key(&order, (const char *[]){"p", "--expires", text, NULL}) == ERR_OK
               ? order.expires
               : "refused";
}

static void expiry_is_an_age_or_a_time(void **state)
{
    assert_string_equal(expiry("never"), "");
    assert_string_equal(expiry("90s"), "2026-01-01T00:01:30.000000Z");
    assert_string_equal(expiry("30m"), "2026-01-01T00:30:00.000000Z");
    assert_string_equal(expiry("12h"), "2026-01-01T12:00:00.000000Z");
    assert_string_equal(expiry("31d"), "2026-02-01T00:00:00.000000Z");
    assert_string_equal(expiry("1w"), "2026-01-08T00:00:00.000000Z");
    assert_string_equal(expiry("2026-06-01T02:00:00+02:00"), "2026-06-01T00:00:00.000000Z");
}

static void other_expiries_are_refused(void **state)
{
    static const char *const bad[] = {"",           "0d",
                                      "-1d",        "1y",
                                      "d",          "1 d",
                                      "1dd",        "9999999999d",
                                      "1000000w",   "soon",
                                      "1d ",        " 1d",
                                      "2026-06-01", "2025-12-31T23:59:59Z"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_string_equal(expiry(bad[i]), "refused");
    }
}

static void wrong_words_are_refused(void **state)
{
    static const char *const bad[][5] = {
        {NULL},
        {"a", "b", NULL},
        {"a", "--scope", NULL},
        {"a", "--scope", "", NULL},
        {"a", "--scope", "write", NULL},
        {"a", "--scope", "read,", NULL},
        {"a", "--scope", ",read", NULL},
        {"a", "--scope", "READ", NULL},
        {"a", "--secret", "x", NULL},
        {"a", "--public-key", "with:colon", NULL},
        {"a", "--public-key", "with blank", NULL},
        {"a", "--public-key", "", NULL},
        {"a", "--name", "two\nlines", NULL},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct key_order order;
        assert_int_equal(read_key(&order, bad[i]), ERR_INVALID);
    }
}

static enum err read_project(const char *id, const char *name)
{
    struct project_order order;
    struct error error;
    char *words[] = {(char *)id, "--name", (char *)name};
    return project_order_read(name != NULL ? 3 : 1, words, &order, &error);
}

static void projects_have_ids_that_fit_a_line(void **state)
{
    char longest[300];
    memset(longest, 'x', sizeof(longest));
    longest[255] = '\0';
    assert_int_equal(read_project("acme", NULL), ERR_OK);
    assert_int_equal(read_project("acme", "The Acme Corporation"), ERR_OK);
    assert_int_equal(read_project(longest, NULL), ERR_OK);
    longest[255] = 'x';
    longest[256] = '\0';
    assert_int_equal(read_project(longest, NULL), ERR_INVALID);
    assert_int_equal(read_project("", NULL), ERR_INVALID);
    assert_int_equal(read_project("a\tb", NULL), ERR_INVALID);
    assert_int_equal(read_project("a", "b\nc"), ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_whole_and_for_ever_unless_asked_otherwise),
        cmocka_unit_test(options_stand_before_and_behind_the_project),
        cmocka_unit_test(expiry_is_an_age_or_a_time),
        cmocka_unit_test(other_expiries_are_refused),
        cmocka_unit_test(wrong_words_are_refused),
        cmocka_unit_test(projects_have_ids_that_fit_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
