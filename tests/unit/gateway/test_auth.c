/* Authorization headers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/sha.h>

#include "gateway/auth.h"

static const struct config both = {
    .project_id = "default",
    .bearer_token = "tok-123",
    .public_key = "pk",
    .secret_key = "sk:with:colons",
};

static const int64_t now_us = 1000;

static enum err check(const struct config *config, const char *header, struct identity *identity)
{
    struct auth *auth = auth_create(config, NULL, 0);
    enum err err = auth_check(auth, slice_from(header), now_us, identity);
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
    struct auth *auth = auth_create(&config, NULL, 0);
    assert_false(auth_is_compat_open(auth));
    auth_destroy(auth);
    config.public_key = config.secret_key = NULL;
    auth = auth_create(&config, NULL, 0);
    assert_true(auth_is_compat_open(auth));
    struct identity identity;
    auth_fill_anonymous(auth, &identity);
    assert_string_equal(identity.project, "default");
    auth_destroy(auth);
}

/* ---- keys of the table ---- */

enum { ALL = SCOPE_READ | SCOPE_INGEST | SCOPE_SCORES | SCOPE_MANAGE };

static struct auth_key key_of(const char *project, const char *public_key, const char *secret,
                              unsigned scopes, int64_t expires_us)
{
    struct auth_key key = {.project = slice_from(project),
                           .public_key = slice_from(public_key),
                           .scopes = scopes,
                           .expires_us = expires_us};
    SHA256((const unsigned char *)secret, strlen(secret), key.secret_sha256);
    return key;
}

static struct auth *auth_with(const struct auth_key *keys, size_t count)
{
    return auth_create(&both, keys, count);
}

/* The project whose credential it is, "" for none. */
static const char *project_of(const struct auth *auth, const char *header)
{
    static struct identity identity;
    memset(&identity, 0, sizeof(identity));
    enum err err = auth_check(auth, slice_from(header), now_us, &identity);
    assert_true(err == ERR_OK || err == ERR_UNAUTHORIZED);
    return identity.project;
}

static unsigned scopes_of(const struct auth *auth, const char *header)
{
    struct identity identity;
    assert_int_equal(auth_check(auth, slice_from(header), now_us, &identity), ERR_OK);
    return identity.scopes;
}

/* "pk-a:sk-a", "pk-b:sk-b", "pk-a:sk-b" */
#define BASIC_A  "Basic cGstYTpzay1h"
#define BASIC_B  "Basic cGstYjpzay1i"
#define BASIC_AB "Basic cGstYTpzay1i"

static void keys_open_their_own_project(void **state)
{
    const struct auth_key keys[] = {key_of("a", "pk-a", "sk-a", ALL, AUTH_NEVER),
                                    key_of("b", "pk-b", "sk-b", ALL, AUTH_NEVER)};
    struct auth *auth = auth_with(keys, 2);
    assert_string_equal(project_of(auth, BASIC_A), "a");
    assert_string_equal(project_of(auth, BASIC_B), "b");
    assert_string_equal(project_of(auth, "Bearer sk-a"), "a");
    assert_string_equal(project_of(auth, "Bearer sk-b"), "b");
    assert_string_equal(project_of(auth, BASIC_AB), "");
    assert_string_equal(project_of(auth, "Bearer sk-c"), "");
    /* The environment's go on to work. */
    assert_string_equal(project_of(auth, "Bearer tok-123"), "default");
    assert_string_equal(project_of(auth, "Basic cGs6c2s6d2l0aDpjb2xvbnM="), "default");
    auth_destroy(auth);
}

static void rights_are_those_of_the_key(void **state)
{
    const struct auth_key keys[] = {
        key_of("a", "pk-a", "sk-a", auth_scopes(SLICE_LITERAL("all")), AUTH_NEVER),
        key_of("a", "pk-b", "sk-b", auth_scopes(SLICE_LITERAL("read")), AUTH_NEVER)};
    struct auth *auth = auth_with(keys, 2);
    assert_int_equal(scopes_of(auth, BASIC_A), ALL);
    assert_int_equal(scopes_of(auth, "Bearer sk-a"), ALL);
    assert_int_equal(scopes_of(auth, "Bearer pk-a"), SCOPE_SCORES);
    assert_int_equal(scopes_of(auth, BASIC_B), SCOPE_READ);
    assert_int_equal(scopes_of(auth, "Bearer pk-b"), 0); /* known, and good for nothing */
    assert_int_equal(scopes_of(auth, "Bearer tok-123") & SCOPE_OPERATE, SCOPE_OPERATE);
    auth_destroy(auth);
}

static void scopes_are_words(void **state)
{
    assert_int_equal(auth_scopes(SLICE_LITERAL("all")), ALL);
    assert_int_equal(auth_scopes(SLICE_LITERAL("ingest")), SCOPE_INGEST | SCOPE_SCORES);
    assert_int_equal(auth_scopes(SLICE_LITERAL("read,scores")), SCOPE_READ | SCOPE_SCORES);
    assert_int_equal(auth_scopes(SLICE_LITERAL("")), 0);
    assert_int_equal(auth_scopes(SLICE_LITERAL("rea,READ,,operate")), 0);
}

static void who_may_send_nothing_but_scores_is_told_apart(void **state)
{
    static const struct {
        const char *words;
        bool scores_only;
    } cases[] = {{"all", false},
                 {"ingest", false},
                 {"scores", true},
                 {"read,scores", true},
                 {"read", false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct auth_key key =
            key_of("a", "pk-a", "sk-a", auth_scopes(slice_from(cases[i].words)), AUTH_NEVER);
        struct auth *auth = auth_with(&key, 1);
        struct identity identity;
        assert_int_equal(auth_check(auth, SLICE_LITERAL(BASIC_A), now_us, &identity), ERR_OK);
        assert_int_equal(identity.scores_only, cases[i].scores_only);
        auth_destroy(auth);
    }
}

static void a_key_ends_at_its_time(void **state)
{
    struct auth_key key = key_of("a", "pk-a", "sk-a", ALL, now_us + 1);
    static const char *const headers[] = {BASIC_A, "Bearer sk-a", "Bearer pk-a"};
    struct auth *auth = auth_with(&key, 1);
    struct identity identity;
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        struct slice header = slice_from(headers[i]);
        assert_int_equal(auth_check(auth, header, now_us, &identity), ERR_OK);
        assert_int_equal(auth_check(auth, header, now_us + 1, &identity), ERR_UNAUTHORIZED);
    }
    auth_destroy(auth);
}

static void one_public_key_may_be_the_environments_and_the_tables(void **state)
{
    struct auth_key key = key_of("a", "pk", "sk-a", ALL, AUTH_NEVER);
    struct auth *auth = auth_with(&key, 1);
    assert_string_equal(project_of(auth, "Basic cGs6c2s6d2l0aDpjb2xvbnM="), "default");
    assert_string_equal(project_of(auth, "Basic cGs6c2stYQ=="), "a"); /* pk:sk-a */
    assert_string_equal(project_of(auth, "Bearer pk"), "default");
    auth_destroy(auth);
}

static void many_keys_are_all_found(void **state)
{
    enum { COUNT = 2000 };
    static struct auth_key keys[COUNT];
    static char texts[COUNT][2][16];
    for (int i = 0; i < COUNT; i++) {
        snprintf(texts[i][0], sizeof(texts[i][0]), "pk-%d", i);
        snprintf(texts[i][1], sizeof(texts[i][1]), "sk-%d", i);
        keys[i] = key_of(texts[i][0], texts[i][0], texts[i][1], ALL, AUTH_NEVER);
    }
    struct auth *auth = auth_with(keys, COUNT);
    for (int i = 0; i < COUNT; i++) {
        char header[32];
        snprintf(header, sizeof(header), "Bearer sk-%d", i);
        assert_string_equal(project_of(auth, header), texts[i][0]);
    }
    assert_string_equal(project_of(auth, "Bearer sk-2000"), "");
    auth_destroy(auth);
}

static void a_project_that_is_too_long_is_nobodys(void **state)
{
    static char project[REQUEST_PROJECT_MAX + 1];
    memset(project, 'x', REQUEST_PROJECT_MAX);
    struct auth_key key = key_of(project, "pk-a", "sk-a", ALL, AUTH_NEVER);
    struct auth *auth = auth_with(&key, 1);
    assert_string_equal(project_of(auth, BASIC_A), "");
    auth_destroy(auth);
}

static void names_show_no_secrets(void **state)
{
    struct auth_key key = key_of("a", "pk-a", "sk-a", ALL, AUTH_NEVER);
    struct auth *auth = auth_with(&key, 1);
    struct identity identity;
    struct buf name = BUF_EMPTY;
    assert_int_equal(auth_check(auth, SLICE_LITERAL(BASIC_A), now_us, &identity), ERR_OK);
    auth_describe(auth, identity.credential, &name);
    assert_true(slice_is(buf_slice(&name), "basic:pk-a"));
    buf_reset(&name);
    assert_int_equal(auth_check(auth, SLICE_LITERAL("Bearer sk-a"), now_us, &identity), ERR_OK);
    auth_describe(auth, identity.credential, &name);
    assert_int_equal(name.len, strlen("bearer:01234567"));
    assert_memory_equal(name.data, "bearer:", 7);
    buf_finish(&name);
    auth_destroy(auth);
}

static void only_what_has_the_shape_of_credentials_may_be_a_key(void **state)
{
    assert_true(auth_is_well_formed(SLICE_LITERAL("Bearer x")));
    assert_true(auth_is_well_formed(SLICE_LITERAL(" basic eDp5")));
    assert_false(auth_is_well_formed(SLICE_LITERAL("")));
    assert_false(auth_is_well_formed(SLICE_LITERAL("Bearer ")));
    assert_false(auth_is_well_formed(SLICE_LITERAL("Digest x")));
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
        cmocka_unit_test(keys_open_their_own_project),
        cmocka_unit_test(rights_are_those_of_the_key),
        cmocka_unit_test(scopes_are_words),
        cmocka_unit_test(who_may_send_nothing_but_scores_is_told_apart),
        cmocka_unit_test(a_key_ends_at_its_time),
        cmocka_unit_test(one_public_key_may_be_the_environments_and_the_tables),
        cmocka_unit_test(many_keys_are_all_found),
        cmocka_unit_test(a_project_that_is_too_long_is_nobodys),
        cmocka_unit_test(names_show_no_secrets),
        cmocka_unit_test(only_what_has_the_shape_of_credentials_may_be_a_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
