/* What paths that lead nowhere are told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/scope.h"

static void what_is_langfuses_alone_is_known_by_whole_segments(void **state)
{
    static const char *const elsewhere[] = {
        "/api/public/prompts",           "/api/public/v2/prompts/a/b",
        "/api/public/datasets/x/runs/y", "/api/public/dataset-items/1",
        "/api/public/scim/Users",        "/api/public/score-configs/",
    };
    static const char *const others[] = {
        "",
        "/",
        "/api/public/",
        "/api/public/promptsX",
        "/api/public/v2",
        "/api/public/v2/promptsX/a",
        "/prompts",
        "/x/api/public/prompts",
        "/api/public/traces/prompts",
    };
    for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++) {
        assert_true(scope_is_elsewhere(slice_from(elsewhere[i])));
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        assert_false(scope_is_elsewhere(slice_from(others[i])));
    }
}

static void the_words_fit_the_path(void **state)
{
    struct error error;
    assert_int_equal(scope_describe(slice_from("/api/public/comments"), &error), ERR_NOT_FOUND);
    assert_non_null(strstr(error.text, "not part of xtrace"));
    assert_int_equal(scope_describe(slice_from("/"), &error), ERR_NOT_FOUND);
    assert_non_null(strstr(error.text, "/api/openapi.json"));
    assert_int_equal(scope_describe(slice_from("/nonsense"), &error), ERR_NOT_FOUND);
    assert_string_equal(error.text, "Not Found");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_langfuses_alone_is_known_by_whole_segments),
        cmocka_unit_test(the_words_fit_the_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
