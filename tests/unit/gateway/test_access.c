/* The snapshot of keys and rules, and what is seen of it while it is replaced. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include "common/log.h"
#include "gateway/access.h"
#include "gateway/ingest/capture.h"

static const struct config config = {.project_id = "default", .bearer_token = "token"};

static struct auth_key key_of(const char *project, uint8_t digest)
{
    struct auth_key key = {.project = slice_from(project),
                           .public_key = slice_from(project),
                           .scopes = SCOPE_READ,
                           .expires_us = AUTH_NEVER};
    memset(key.secret_sha256, digest, sizeof(key.secret_sha256));
    return key;
}

static struct access *create(const struct config *settings)
{
    struct access *access;
    struct error error;
    assert_int_equal(access_create(&access, settings, &error), ERR_OK);
    return access;
}

static bool is_known(const struct access_snapshot *snapshot, const char *header)
{
    struct identity identity;
    return auth_check(snapshot->auth, slice_from(header), 0, &identity) == ERR_OK;
}

static void the_settings_are_there_before_the_tables_are(void **state)
{
    struct access *access = create(&config);
    struct access_view view = {NULL, 0};
    const struct access_snapshot *snapshot = access_look(access, &view);
    assert_false(snapshot->is_loaded);
    assert_false(access_is_loaded(access));
    assert_true(is_known(snapshot, "Bearer token"));
    access_view_finish(&view);
    access_destroy(access);
}

static void a_new_snapshot_is_seen_at_the_next_look(void **state)
{
    struct access *access = create(&config);
    struct access_view view = {NULL, 0};
    struct access_view other = {NULL, 0};
    struct error error;
    const struct access_snapshot *before = access_look(access, &view);
    assert_ptr_equal(before, access_look(access, &other));
    struct auth_key key = key_of("acme", 1);
    assert_int_equal(access_publish(access, &key, 1, NULL, 0, &error), ERR_OK);
    assert_false(is_known(before, "Bearer acme")); /* still whole: the view has not looked again */
    const struct access_snapshot *after = access_look(access, &view);
    assert_true(after->is_loaded);
    assert_true(access_is_loaded(access));
    assert_true(is_known(after, "Bearer acme"));
    assert_true(is_known(after, "Bearer token"));
    assert_ptr_equal(after, access_look(access, &view));
    access_view_finish(&view);
    access_view_finish(&other);
    access_destroy(access);
}

static void bad_rules_of_the_settings_are_named(void **state)
{
    struct config bad = config;
    struct access *access;
    struct error error;
    bad.redact_patterns = "(";
    assert_int_equal(access_create(&access, &bad, &error), ERR_INVALID);
    assert_non_null(strstr(error.text, "XTRACE_REDACT_PATTERNS: pattern 1"));
    access_destroy(access);
}

struct race {
    struct access *access;
    _Atomic(bool) is_over;
};

static void *look_again_and_again(void *argument)
{
    struct race *race = argument;
    struct access_view view = {NULL, 0};
    while (!atomic_load(&race->is_over)) {
        const struct access_snapshot *snapshot = access_look(race->access, &view);
        assert_true(is_known(snapshot, "Bearer token"));
    }
    access_view_finish(&view);
    return NULL;
}

static void threads_look_while_it_is_replaced(void **state)
{
    enum { THREADS = 3, TIMES = 300 };
    struct race race = {create(&config), false};
    pthread_t threads[THREADS];
    struct error error;
    for (int i = 0; i < THREADS; i++) {
        pthread_create(&threads[i], NULL, look_again_and_again, &race);
    }
    struct auth_key key = key_of("acme", 1);
    for (int i = 0; i < TIMES; i++) {
        assert_int_equal(access_publish(race.access, &key, 1, NULL, 0, &error), ERR_OK);
    }
    atomic_store(&race.is_over, true);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    access_destroy(race.access);
}

/* ---- rules ---- */

static struct captures *captures_of(const struct config *settings, const struct captures_row *rows,
                                    size_t count)
{
    struct captures *captures;
    struct error error;
    assert_int_equal(captures_create(&captures, settings, rows, count, &error), ERR_OK);
    return captures;
}

/* What is left of the input of an observation that has "secret" in it and a member "token". */
static const char *kept(const struct captures *captures, const char *project)
{
    static char text[100];
    const struct capture *capture;
    struct error error;
    static char input[] = "{\"token\":1,\"a\":\"secret\"}";
    enum err err = captures_find(captures, project, &capture, &error);
    if (err != ERR_OK) {
        return err_name(err);
    }
    if (capture == NULL) {
        return "all";
    }
    struct row row = {.kind = ROW_OBSERVATION, .present = UINT64_C(1) << OBSERVATION_INPUT};
    struct row out;
    row.values[OBSERVATION_INPUT].slice = slice_from(input);
    struct capture_work *work = capture_begin(capture);
    capture_row(work, &row, &out);
    bool is_there = row_has(&out, OBSERVATION_INPUT);
    struct slice left = out.values[OBSERVATION_INPUT].slice;
    snprintf(text, sizeof(text), "%.*s", is_there ? (int)left.len : 4,
             is_there ? left.data : "none");
    capture_end(work);
    return text;
}

static void a_projects_own_rules_beat_the_settings(void **state)
{
    struct config masking = config;
    masking.redact_patterns = "secret";
    const struct captures_row rows[] = {{"b", "metadata_only", NULL, NULL},
                                        {"a", NULL, "token", NULL},
                                        {"d", "full", "", ""},
                                        {"c", NULL, NULL, "[0-9]"}};
    struct captures *captures = captures_of(&masking, rows, 4);
    assert_string_equal(kept(captures, "default"), "{\"token\":1,\"a\":\"[REDACTED]\"}");
    assert_string_equal(kept(captures, "a"), "{\"token\":\"[REDACTED]\",\"a\":\"[REDACTED]\"}");
    assert_string_equal(kept(captures, "b"), "none");
    assert_string_equal(kept(captures, "c"), "{\"token\":\"[REDACTED]\",\"a\":\"secret\"}");
    assert_string_equal(kept(captures, "d"), "all");
    captures_destroy(captures);
}

static void rules_that_cannot_be_used_let_nothing_through(void **state)
{
    log_open("test", LOG_ERROR + 1, LOG_FORMAT_TEXT);
    const struct captures_row rows[] = {{"pattern", "full", NULL, "("},
                                        {"mode", "all", NULL, NULL}};
    struct captures *captures = captures_of(&config, rows, 2);
    assert_string_equal(kept(captures, "pattern"), "unavailable");
    assert_string_equal(kept(captures, "mode"), "unavailable");
    assert_string_equal(kept(captures, "default"), "all");
    captures_destroy(captures);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_settings_are_there_before_the_tables_are),
        cmocka_unit_test(a_new_snapshot_is_seen_at_the_next_look),
        cmocka_unit_test(bad_rules_of_the_settings_are_named),
        cmocka_unit_test(threads_look_while_it_is_replaced),
        cmocka_unit_test(a_projects_own_rules_beat_the_settings),
        cmocka_unit_test(rules_that_cannot_be_used_let_nothing_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
