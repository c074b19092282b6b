/* Authorization headers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/auth.h"

static const struct config both = {
    .project_id = "default",
    .bearer_token = "tok-123",
    .public_key = "pk",
    .secret_key = "sk:with:colons",
};

static enum err check(const struct config *config, const char *header, struct identity *identity)
{
    struct auth *auth = auth_create(config);
    enum err err = auth_check(auth, slice_from(header), identity);
    auth_destroy(auth);
    return err;
}

static bool opens(const char *header)
{
    struct identity identity = {.project = ""};
    enum err err = check(&both, header, &identity);
    assert_string_equal(identity.project, err == ERR_OK ? "default" : "");
    return err == ERR_OK;
}

static void bearer_opens_with_the_token_alone(void **state)
{
    assert_true(opens("Bearer tok-123"));
    assert_false(opens("Bearer tok-12"));
    assert_false(opens("Bearer tok-1234"));
    assert_false(opens("Bearer TOK-123"));
    assert_false(opens("Bearer"));
    assert_false(opens("Bearer "));
    assert_false(opens("tok-123"));
    assert_false(opens("Bearertok-123"));
    assert_false(opens("Digest tok-123"));
    assert_false(opens(""));
}

static void blanks_around_and_case_of_the_scheme_do_not_matter(void **state)
{
    assert_true(opens("  Bearer   tok-123  "));
    assert_true(opens("bearer tok-123"));
    assert_true(opens("BEARER\ttok-123"));
    assert_true(opens("basic cGs6c2s6d2l0aDpjb2xvbnM="));
}

static void basic_splits_at_the_first_colon(void **state)
{
    assert_true(opens("Basic cGs6c2s6d2l0aDpjb2xvbnM=")); /* pk:sk:with:colons */
    assert_false(opens("Basic cGs6c2s="));                /* pk:sk */
    assert_false(opens("Basic cGs="));                    /* pk */
    assert_false(opens("Basic cGs6"));                    /* pk: */
    assert_false(opens("Basic Og=="));                    /* : */
    assert_false(opens("Basic !!!!"));
    assert_false(opens("Basic cGs6c2s6d2l0aDpjb2xvbnM")); /* no padding */
    assert_false(opens("Basic ===="));
    assert_false(opens("Basic cGs6c2s6d2l0aDpjb2xvbnMA")); /* NUL behind */
    assert_false(opens("Basic"));
}

static void basic_needs_both_keys(void **state)
{
    struct config config = both;
    struct identity identity;
    config.secret_key = NULL;
    assert_int_equal(check(&config, "Basic cGs6", &identity), ERR_UNAUTHORIZED);
    config = both;
    config.public_key = NULL;
    assert_int_equal(check(&config, "Basic cGs6c2s6d2l0aDpjb2xvbnM=", &identity), ERR_UNAUTHORIZED);
    assert_int_equal(check(&config, "Bearer tok-123", &identity), ERR_OK);
}

static void the_public_key_alone_may_only_create_scores(void **state)
{
    struct identity identity;
    assert_int_equal(check(&both, "Bearer pk", &identity), ERR_OK);
    assert_true(identity.scores_only);
    assert_int_equal(identity.scopes, SCOPE_SCORES);
    assert_int_equal(check(&both, "Bearer tok-123", &identity), ERR_OK);
    assert_false(identity.scores_only);
    assert_int_not_equal(identity.scopes & SCOPE_SCORES, 0);
    struct config config = both;
    config.public_key = NULL;
    assert_int_equal(check(&config, "Bearer pk", &identity), ERR_UNAUTHORIZED);
    assert_int_equal(check(&config, "Bearer ", &identity), ERR_UNAUTHORIZED);
}

static void giant_headers_are_refused(void **state)
{
    static char header[20000];
    memset(header, 'a', sizeof(header) - 1);
    memcpy(header, "Basic ", 6);
    assert_false(opens(header));
    memcpy(header, "Bearer ", 7);
    assert_false(opens(header));
}

static void each_credential_has_a_name_of_its_own(void **state)
{
    struct identity bearer;
    struct identity basic;
    assert_int_equal(check(&both, "Bearer tok-123", &bearer), ERR_OK);
    assert_int_equal(check(&both, "Basic cGs6c2s6d2l0aDpjb2xvbnM=", &basic), ERR_OK);
    assert_memory_not_equal(bearer.credential, basic.credential, sizeof(bearer.credential));
}

static void compat_is_open_only_without_basic_keys(void **state)
{
    struct config config = both;
    config.allow_unauthenticated_compat = true;
    struct auth *auth = auth_create(&config);
    assert_false(auth_is_compat_open(auth));
    auth_destroy(auth);
    config.public_key = config.secret_key = NULL;
    auth = auth_create(&config);
    assert_true(auth_is_compat_open(auth));
    struct identity identity;
    auth_fill_anonymous(auth, &identity);
    assert_string_equal(identity.project, "default");
    auth_destroy(auth);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bearer_opens_with_the_token_alone),
        cmocka_unit_test(blanks_around_and_case_of_the_scheme_do_not_matter),
        cmocka_unit_test(basic_splits_at_the_first_colon),
        cmocka_unit_test(basic_needs_both_keys),
        cmocka_unit_test(the_public_key_alone_may_only_create_scores),
        cmocka_unit_test(giant_headers_are_refused),
        cmocka_unit_test(each_credential_has_a_name_of_its_own),
        cmocka_unit_test(compat_is_open_only_without_basic_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
