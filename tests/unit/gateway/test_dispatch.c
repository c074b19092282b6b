/* Which route a path and a method lead to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/dispatch.h"

static const struct route table[] = {
    {.method = "GET", .path = "/healthz"},
    {.method = "POST", .path = "/v1/l/batch"},
    {.method = "GET", .path = "/api/traces"},
    {.method = "GET", .path = "/api/traces/{id}"},
    {.method = "DELETE", .path = "/api/traces/{id}"},
    {.method = "GET", .path = "/api/{a}/x/{b}"},
    {.method = NULL},
};

struct found {
    enum match match;
    const struct route *route;
    struct slice params[REQUEST_PARAMS_MAX];
    char allow[DISPATCH_ALLOW_SIZE];
    struct arena arena;
};

static struct found *find(struct found *found, const char *method, const char *target)
{
    arena_reset(&found->arena);
    found->match = dispatch_match(table, slice_from(method), slice_from(target), &found->arena,
                                  &found->route, found->params, found->allow);
    return found;
}

static void known_paths_are_found_whole_only(void **state)
{
    struct found found = {.arena = ARENA_EMPTY};
    assert_int_equal(find(&found, "GET", "/healthz")->match, MATCH_ROUTE);
    assert_ptr_equal(found.route, &table[0]);
    assert_int_equal(find(&found, "GET", "/healthz?x=/y")->match, MATCH_ROUTE);
    assert_int_equal(find(&found, "POST", "/v1/l/batch")->match, MATCH_ROUTE);
    static const char *const wrong[] = {
        "/healthz/",
        "/healthz/x",
        "/",
        "",
        "*",
        "/v1/l",
        "/v1/l/batch/x",
        "/HEALTHZ",
        "/./healthz",
        "/x/../healthz",
        "/api/traces/",
        "/api/traces/a/b",
        "healthz",
        "/healthz%",
        "/healthz%2",
        "/healthz%zz",
        "/healthz%00",
        "/1/2/3/4/5/6/7/8/9",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(find(&found, "GET", wrong[i])->match, MATCH_NOTHING);
    }
    arena_finish(&found.arena);
}

static void parameters_are_decoded_after_splitting(void **state)
{
    struct found found = {.arena = ARENA_EMPTY};
    assert_int_equal(find(&found, "GET", "/api/traces/a%2Fb%20c+d")->match, MATCH_ROUTE);
    assert_true(slice_is(found.params[0], "a/b c+d"));
    assert_int_equal(find(&found, "GET", "/api/traces/%C3%A9")->match, MATCH_ROUTE);
    assert_true(slice_is(found.params[0], "\xC3\xA9"));
    assert_int_equal(find(&found, "GET", "/api/1/x/2")->match, MATCH_ROUTE);
    assert_true(slice_is(found.params[0], "1"));
    assert_true(slice_is(found.params[1], "2"));
    assert_int_equal(find(&found, "GET", "/%61pi/traces")->match, MATCH_ROUTE);
    assert_int_equal(find(&found, "GET", "/api%2Ftraces")->match, MATCH_NOTHING);
    assert_int_equal(find(&found, "GET", "/api/traces/%FF")->match, MATCH_NOTHING);
    assert_int_equal(find(&found, "GET", "/api/traces/a%00b")->match, MATCH_NOTHING);
    arena_finish(&found.arena);
}

static void other_methods_are_told_what_is_allowed(void **state)
{
    struct found found = {.arena = ARENA_EMPTY};
    assert_int_equal(find(&found, "POST", "/healthz")->match, MATCH_OTHER_METHOD);
    assert_string_equal(found.allow, "GET, HEAD, OPTIONS");
    assert_int_equal(find(&found, "GET", "/v1/l/batch")->match, MATCH_OTHER_METHOD);
    assert_string_equal(found.allow, "POST, OPTIONS");
    assert_int_equal(find(&found, "PUT", "/api/traces/1")->match, MATCH_OTHER_METHOD);
    assert_string_equal(found.allow, "GET, HEAD, DELETE, OPTIONS");
    assert_int_equal(find(&found, "get", "/healthz")->match, MATCH_OTHER_METHOD);
    assert_int_equal(find(&found, "DELETE", "/api/traces/1")->match, MATCH_ROUTE);
    assert_ptr_equal(found.route, &table[4]);
    arena_finish(&found.arena);
}

static void options_is_a_method_of_every_path(void **state)
{
    struct found found = {.arena = ARENA_EMPTY};
    assert_int_equal(find(&found, "OPTIONS", "/api/traces/1?x=y")->match, MATCH_OPTIONS);
    assert_string_equal(found.allow, "GET, HEAD, DELETE, OPTIONS");
    assert_int_equal(find(&found, "OPTIONS", "/v1/l/batch")->match, MATCH_OPTIONS);
    assert_string_equal(found.allow, "POST, OPTIONS");
    assert_int_equal(find(&found, "OPTIONS", "/nonsense")->match, MATCH_NOTHING);
    assert_int_equal(find(&found, "OPTIONS", "*")->match, MATCH_NOTHING);
    arena_finish(&found.arena);
}

static void head_goes_where_get_goes(void **state)
{
    struct found found = {.arena = ARENA_EMPTY};
    assert_int_equal(find(&found, "HEAD", "/api/traces/1")->match, MATCH_ROUTE);
    assert_ptr_equal(found.route, &table[3]);
    assert_int_equal(find(&found, "HEAD", "/v1/l/batch")->match, MATCH_OTHER_METHOD);
    arena_finish(&found.arena);
}

static void the_absolute_form_counts_by_its_path(void **state)
{
    struct found found = {.arena = ARENA_EMPTY};
    assert_int_equal(find(&found, "GET", "http://host:80/healthz?x")->match, MATCH_ROUTE);
    assert_int_equal(find(&found, "GET", "HTTPS://host/api/traces/7")->match, MATCH_ROUTE);
    assert_true(slice_is(found.params[0], "7"));
    assert_int_equal(find(&found, "GET", "http://host")->match, MATCH_NOTHING);
    assert_int_equal(find(&found, "GET", "ftp://host/healthz")->match, MATCH_NOTHING);
    arena_finish(&found.arena);
}

static void a_base_url_may_end_in_a_slash(void **state)
{
    struct found found = {.arena = ARENA_EMPTY};
    assert_int_equal(find(&found, "GET", "//healthz")->match, MATCH_ROUTE);
    assert_int_equal(find(&found, "GET", "http://host///healthz")->match, MATCH_ROUTE);
    assert_int_equal(find(&found, "GET", "//api/traces/7?x")->match, MATCH_ROUTE);
    assert_true(slice_is(found.params[0], "7"));
    assert_int_equal(find(&found, "GET", "/api//traces/7")->match, MATCH_NOTHING);
    assert_int_equal(find(&found, "GET", "//")->match, MATCH_NOTHING);
    arena_finish(&found.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_paths_are_found_whole_only),
        cmocka_unit_test(parameters_are_decoded_after_splitting),
        cmocka_unit_test(other_methods_are_told_what_is_allowed),
        cmocka_unit_test(options_is_a_method_of_every_path),
        cmocka_unit_test(head_goes_where_get_goes),
        cmocka_unit_test(the_absolute_form_counts_by_its_path),
        cmocka_unit_test(a_base_url_may_end_in_a_slash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
