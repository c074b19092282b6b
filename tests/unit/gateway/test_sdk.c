/* sdk: which of Langfuse's SDKs for Python cannot read what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/read/sdk.h"

static void versions_of_python_are_told_apart(void **state)
{
    static const struct {
        const char *name, *version;
        enum sdk sdk;
    } cases[] = {
        {"python", "2.60.10", SDK_PYTHON_2},
        {"python", "2", SDK_PYTHON_2},
        {"python", "3.0.0", SDK_PYTHON_BEFORE_TEXT},
        {"python", "3.14.6", SDK_PYTHON_BEFORE_TEXT},
        {"python", "3.15.0", SDK_PYTHON_BEFORE_5},
        {"python", "4.0.0b2", SDK_PYTHON_BEFORE_TEXT},
        {"python", "4.1.0", SDK_PYTHON_BEFORE_TEXT},
        {"python", "4.18.0", SDK_PYTHON_BEFORE_5},
        {"python", "5.0.4", SDK_OTHER},
        {"python", "20.1", SDK_OTHER},
        {"python", "", SDK_OTHER},
        {"python", "x", SDK_OTHER},
        {"python", "99999999999999999999999.1", SDK_OTHER},
        {"javascript", "3.0.0", SDK_OTHER},
        {"", "2.0", SDK_OTHER},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum sdk sdk = sdk_find(slice_from(cases[i].name), slice_from(cases[i].version));
        assert_int_equal(sdk, cases[i].sdk);
    }
    assert_int_equal(sdk_find((struct slice){NULL, 0}, (struct slice){NULL, 0}), SDK_OTHER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_of_python_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
