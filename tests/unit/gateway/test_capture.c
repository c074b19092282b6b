/* capture and redact: what is kept of a row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/json_write.h"
#include "gateway/ingest/capture.h"

/* --- redact -------------------------------------------------------------------------------- */

struct rules {
    struct redact *redact;
    struct redact_work *work;
    struct arena arena;
};

static struct rules open_rules(bool built_in, const char *keys, const char *patterns)
{
    struct rules rules = {.arena = ARENA_EMPTY};
    struct redact_options options = {built_in, keys, patterns};
    struct error error;
    assert_int_equal(redact_create(&rules.redact, &options, &error), ERR_OK);
    rules.work = redact_begin(rules.redact);
    return rules;
}

static void close_rules(struct rules *rules)
{
    redact_end(rules->work);
    redact_destroy(rules->redact);
    arena_finish(&rules->arena);
}

/* The text lies in a block of its own, so that a step beyond it is seen. */
static struct slice own(const char *text)
{
    size_t len = strlen(text);
    char *exact = memory_alloc(len > 0 ? len : 1);
    memcpy(exact, text, len);
    return (struct slice){exact, len};
}

static void check_json(struct rules *rules, unsigned flags, const char *json, const char *expected)
{
    struct slice text = own(json);
    struct slice out = redact_json(rules->work, text, flags, SIZE_MAX, &rules->arena);
    assert_string_equal(arena_text(&rules->arena, out), expected);
    if (strcmp(json, expected) == 0) {
        assert_ptr_equal(out.data, text.data);
    }
    free((char *)text.data);
}

static void check_text(struct rules *rules, const char *text, const char *expected)
{
    struct slice in = own(text);
    struct slice out = redact_text(rules->work, in, SIZE_MAX, &rules->arena);
    assert_string_equal(arena_text(&rules->arena, out), expected);
    free((char *)in.data);
}

static void values_of_keys_go_at_any_depth(void **state)
{
    struct rules rules = open_rules(false, "api_key, Password", NULL);
    check_json(&rules, 0, "{\"a\":1,\"API_KEY\": \"x\" ,\"b\":[{\"password\":{\"deep\":[1]}}]}",
               "{\"a\":1,\"API_KEY\": \"[REDACTED]\" ,\"b\":[{\"password\":\"[REDACTED]\"}]}");
    check_json(&rules, 0, "[{\"http.api_key\":7},{\"p\\u0061ssword\":true}]",
               "[{\"http.api_key\":\"[REDACTED]\"},{\"p\\u0061ssword\":\"[REDACTED]\"}]");
    close_rules(&rules);
}

static void what_holds_no_secret_stays_byte_for_byte(void **state)
{
    struct rules rules = open_rules(true, "api_key", "hunter[0-9]+");
    check_json(&rules, REDACT_NAMES, "{ \"b\" : 1.50e+0, \"a\" : \"\\u00fc\\/\" , \"a\" : null }",
               "{ \"b\" : 1.50e+0, \"a\" : \"\\u00fc\\/\" , \"a\" : null }");
    check_json(&rules, 0, "{\"api_keys\":1,\"api_key\":null}", "{\"api_keys\":1,\"api_key\":null}");
    check_json(&rules, 0, "12345678901234567890123456789012345678901234567890",
               "12345678901234567890123456789012345678901234567890");
    check_json(&rules, 0, "\"\"", "\"\"");
    close_rules(&rules);
}

static void patterns_take_what_matches_out_of_strings(void **state)
{
    struct rules rules = open_rules(false, NULL, "hunter[0-9]+  \n \\bx\\sy\\b");
    check_json(&rules, 0, "[\"my hunter2 and hunter3\", \"x y\", \"hunter\"]",
               "[\"my [REDACTED] and [REDACTED]\", \"[REDACTED]\", \"hunter\"]");
    check_json(&rules, 0, "\"h\\u0075nter2\"", "\"[REDACTED]\"");
    check_json(&rules, 0, "\"\\\"hunter2\\n\"", "\"\\\"[REDACTED]\\n\"");
    check_json(&rules, 0, "{\"hunter2\":1}", "{\"hunter2\":1}");
    check_json(&rules, REDACT_NAMES, "{ \"hunter2\" : 1 }", "{ \"[REDACTED]\" : 1 }");
    check_text(&rules, "ü hunter22 ü", "ü [REDACTED] ü");
    close_rules(&rules);
}

static void a_number_that_matches_goes_whole(void **state)
{
    struct rules rules = open_rules(false, NULL, "4111[0-9]{12}");
    check_json(&rules, 0, "[4111111111111111, -41111111111111110, 4]",
               "[\"[REDACTED]\", \"[REDACTED]\", 4]");
    close_rules(&rules);
}

static void json_in_strings_is_looked_into(void **state)
{
    struct rules rules = open_rules(false, "password", "hunter2");
    check_json(&rules, 0, "{\"arguments\":\" {\\\"password\\\":\\\"x\\\",\\\"b\\\":2}\"}",
               "{\"arguments\":\" {\\\"password\\\":\\\"[REDACTED]\\\",\\\"b\\\":2}\"}");
    check_json(&rules, 0, "\"{\\\"a\\\":\\\"{\\\\\\\"password\\\\\\\":1}\\\"}\"",
               "\"{\\\"a\\\":\\\"{\\\\\\\"password\\\\\\\":\\\\\\\"[REDACTED]\\\\\\\"}\\\"}\"");
    check_json(&rules, 0, "\"{not json, hunter2\"", "\"{not json, [REDACTED]\"");
    check_json(&rules, 0, "\"{\\\"a\\\": 1}\"", "\"{\\\"a\\\": 1}\"");
    close_rules(&rules);
}

static void json_within_json_within_json_is_looked_into(void **state)
{
    struct rules rules = open_rules(false, "password", NULL);
    struct buf text = BUF_EMPTY;
    buf_append_text(&text, "{\"password\":\"hunter2\"}");
    for (int i = 0; i < 8; i++) {
        struct buf outer = BUF_EMPTY;
        json_write_string(&outer, buf_slice(&text));
        struct slice clean = redact_json(rules.work, buf_slice(&outer), 0, SIZE_MAX, &rules.arena);
        assert_null(memmem(clean.data, clean.len, "hunter2", 7));
        assert_non_null(memmem(clean.data, clean.len, "[REDACTED]", 10));
        assert_int_equal(memmem(clean.data, clean.len, "password", 8) != NULL,
                         i < REDACT_EMBEDDED_MAX);
        buf_finish(&text);
        text = outer;
    }
    buf_finish(&text);
    close_rules(&rules);
}

static void keys_are_found_in_what_is_no_json(void **state)
{
    struct rules rules = open_rules(false, "password", NULL);
    check_text(&rules, "{\"a\": NaN, \"password\": \"x\", \"b\": 1}",
               "{\"a\": NaN, \"password\": \"[REDACTED]\", \"b\": 1}");
    check_text(&rules, "call f with {\"Password\" : \"x\\\" y\"} now",
               "call f with {\"Password\" : \"[REDACTED]\"} now");
    check_text(&rules, "{'db.password': 'x', 'b': \"it's\"}",
               "{'db.password': '[REDACTED]', 'b': \"it's\"}");
    check_text(&rules, "{\"password\":1}\n{\"password\":[\"]\",{}]}\n{\"password\":null}",
               "{\"password\":\"[REDACTED]\"}\n{\"password\":\"[REDACTED]\"}\n{\"password\":null}");
    check_text(&rules, "{\"a\":1,\"password\":\"cut o", "{\"a\":1,\"password\":\"[REDACTED]\"");
    check_text(&rules, "{\"a\":1,\"password\":{\"cut\":[", "{\"a\":1,\"password\":\"[REDACTED]\"");
    check_text(&rules, "data: {\\\"password\\\": \\\"x\\\"} y",
               "data: {\\\"password\\\": \\\"[REDACTED]\\\"} y");
    check_text(&rules, "! {\"p\\u0061ssword\": \"x\"}", "! {\"p\\u0061ssword\": \"[REDACTED]\"}");
    check_text(&rules, "\"password\":", "\"password\":");
    check_text(&rules, "the \"password\" is: x, password: y",
               "the \"password\" is: x, password: y");
    close_rules(&rules);
}

static void masked_knows_what_secrets_look_like(void **state)
{
    struct rules rules = open_rules(true, NULL, NULL);
    check_text(&rules, "write to ada.l@example.co.uk now", "write to [REDACTED] now");
    check_text(&rules, "card 4111 1111 1111 1111.", "card [REDACTED].");
    check_text(&rules, "378282246310005", "[REDACTED]");
    check_text(&rules, "ssn 078-05-1120", "ssn [REDACTED]");
    check_text(&rules, "call +49 30 1234 5678", "call [REDACTED]");
    check_text(&rules, "(415) 555-2671, 415-555-2671.", "[REDACTED], [REDACTED].");
    check_text(&rules, "postgresql://ada:s3:cret@db.example.com:5432/x",
               "postgresql://[REDACTED]@db.example.com:5432/x");
    check_text(&rules, "GET /x?a=1&api_key=abc&b=2 DB_PASSWORD=hunter2",
               "GET /x?a=1&api_key=[REDACTED]&b=2 DB_PASSWORD=[REDACTED]");
    check_text(&rules, "password=hunter2;user=x", "password=[REDACTED];user=x");
    check_text(&rules, "DE89 3704 0044 0532 0130 00", "[REDACTED]");
    check_text(&rules, "sk-proj-abcdefghijklmnop1234", "[REDACTED]");
    check_text(&rules, "Authorization: Bearer abcdef0123456789abcdef", "Authorization: [REDACTED]");
    check_json(&rules, 0, "{\"headers\":{\"Cookie\":\"a=b\"}}",
               "{\"headers\":{\"Cookie\":\"[REDACTED]\"}}");
    close_rules(&rules);
}

static void masked_leaves_everyday_text_alone(void **state)
{
    struct rules rules = open_rules(true, NULL, NULL);
    static const char *const texts[] = {
        "2026-05-01T12:00:00.123456Z",
        "6f9619ff-8b86-4011-b42d-00c04fc964ff",
        "1700000000000",
        "0.000012345",
        "the bearer of responsibilities is not a token",
        "https://example.com:8080/a@b 192.168.210.4 2026-05-01 max_tokens=100 tokens=5",
        "The answer is 42 (p < 0.05), see section 3.2.1 @ home",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        check_text(&rules, texts[i], texts[i]);
    }
    close_rules(&rules);
}

static void long_texts_are_searched_to_the_end(void **state)
{
    struct rules rules = open_rules(true, NULL, "hunter[0-9]+");
    struct buf text = BUF_EMPTY;
    for (int i = 0; i < 40000; i++) {
        buf_append_text(&text, "ünd so weiter ");
    }
    buf_append_text(&text, "hunter2 a@b.example");
    struct slice out = redact_text(rules.work, buf_slice(&text), SIZE_MAX, &rules.arena);
    static const char end[] = "weiter [REDACTED] [REDACTED]";
    assert_true(out.len > text.len - 20);
    assert_memory_equal(out.data + out.len - (sizeof(end) - 1), end, sizeof(end) - 1);
    buf_finish(&text);
    close_rules(&rules);
}

static void a_pattern_that_would_take_forever_takes_the_text(void **state)
{
    struct rules rules = open_rules(false, NULL, "(a+)+$ (x*)*y");
    struct buf text = BUF_EMPTY;
    for (int i = 0; i < 200000; i++) {
        buf_append_char(&text, 'a');
    }
    buf_append_char(&text, '!');
    int64_t began_ms = clock_monotonic_ms();
    struct slice out = redact_text(rules.work, buf_slice(&text), SIZE_MAX, &rules.arena);
    assert_true(clock_monotonic_ms() - began_ms < REDACT_BUDGET_MS + 2000);
    assert_string_equal(arena_text(&rules.arena, out), REDACT_MARK);
    buf_finish(&text);
    close_rules(&rules);
}

static void a_bad_pattern_is_named_by_its_number(void **state)
{
    struct redact *redact;
    struct error error;
    struct redact_options options = {false, NULL, "fine secret("};
    assert_int_equal(redact_create(&redact, &options, &error), ERR_INVALID);
    assert_non_null(strstr(error.text, "pattern 2"));
    assert_null(strstr(error.text, "secret"));
    options.patterns = "a*";
    assert_int_equal(redact_create(&redact, &options, &error), ERR_INVALID);
    assert_string_equal(error.text, "pattern 1 matches an empty text");
}

static void a_result_stays_within_its_bound(void **state)
{
    struct rules rules = open_rules(false, NULL, "x");
    struct slice text = SLICE_LITERAL("xxxxxxxx");
    struct slice out = redact_text(rules.work, text, 20, &rules.arena);
    assert_string_equal(arena_text(&rules.arena, out), REDACT_MARK);
    close_rules(&rules);
}

/* --- capture ------------------------------------------------------------------------------- */

struct kept {
    struct capture *capture;
    struct capture_work *work;
    struct row row;
};

static struct kept open_capture(enum capture_mode mode, const char *keys, const char *patterns)
{
    struct kept kept = {.work = NULL};
    struct error error;
    assert_int_equal(capture_create(&kept.capture, mode, keys, patterns, &error), ERR_OK);
    kept.work = capture_begin(kept.capture);
    return kept;
}

static void close_capture(struct kept *kept)
{
    capture_end(kept->work);
    capture_destroy(kept->capture);
}

static struct row observation(const char *trace_id, const char *level)
{
    struct row row = {.kind = ROW_OBSERVATION, .version = 7};
    row_set_slice(&row, OBSERVATION_TRACE_ID, slice_from(trace_id));
    row_set_slice(&row, OBSERVATION_ID, SLICE_LITERAL("o-hunter2"));
    row_set_slice(&row, OBSERVATION_INPUT, SLICE_LITERAL("\"hunter2\""));
    row_set_slice(&row, OBSERVATION_METADATA,
                  SLICE_LITERAL("{\"gen_ai.prompt.0.content\":1,\"a\":2}"));
    row_set_integer(&row, OBSERVATION_PROMPT_TOKENS, 12);
    if (level != NULL) {
        row_set_slice(&row, OBSERVATION_LEVEL, slice_from(level));
    }
    return row;
}

static struct row trace(const char *id)
{
    struct row row = {.kind = ROW_TRACE, .version = 7};
    row_set_slice(&row, TRACE_ID, slice_from(id));
    row_set_slice(&row, TRACE_OUTPUT, SLICE_LITERAL("\"out\""));
    row_set_slice(&row, TRACE_NAME, SLICE_LITERAL("name of hunter2"));
    row_set_slice(&row, TRACE_TAGS, SLICE_LITERAL("[\"hunter2\",\"b\"]"));
    return row;
}

static const struct row *keep(struct kept *kept, struct row row)
{
    capture_row(kept->work, &row, &kept->row);
    return &kept->row;
}

static void check_value(const struct row *row, uint32_t column, const char *expected)
{
    assert_true(row_has(row, column));
    assert_true(slice_is(row->values[column].slice, expected));
}

static void nothing_configured_is_nothing_to_do(void **state)
{
    struct kept kept = open_capture(CAPTURE_FULL, NULL, NULL);
    assert_null(kept.capture);
    assert_null(kept.work);
    close_capture(&kept);
    kept = open_capture(CAPTURE_FULL, " , ", " \n ");
    assert_null(kept.capture);
    close_capture(&kept);
}

static void metadata_only_drops_what_was_said(void **state)
{
    struct kept kept = open_capture(CAPTURE_METADATA_ONLY, NULL, NULL);
    const struct row *row = keep(&kept, observation("t", "ERROR"));
    assert_false(row_has(row, OBSERVATION_INPUT));
    assert_int_equal(row->version, 7);
    assert_int_equal(row->values[OBSERVATION_PROMPT_TOKENS].integer, 12);
    check_value(row, OBSERVATION_METADATA, "{\"gen_ai.prompt.0.content\":\"[REDACTED]\",\"a\":2}");
    row = keep(&kept, trace("t"));
    assert_false(row_has(row, TRACE_OUTPUT));
    check_value(row, TRACE_NAME, "name of hunter2");
    close_capture(&kept);
}

static void error_only_keeps_what_was_said_with_errors(void **state)
{
    struct kept kept = open_capture(CAPTURE_ERROR_ONLY, NULL, NULL);
    assert_false(row_has(keep(&kept, observation("t0", NULL)), OBSERVATION_INPUT));
    assert_false(row_has(keep(&kept, observation("t0", "WARNING")), OBSERVATION_INPUT));
    assert_false(row_has(keep(&kept, trace("t1")), TRACE_OUTPUT));
    for (int i = 1; i < 100; i++) {
        char id[16];
        snprintf(id, sizeof(id), "t%d", i);
        check_value(keep(&kept, observation(id, "ERROR")), OBSERVATION_INPUT, "\"hunter2\"");
        check_value(keep(&kept, trace(id)), TRACE_OUTPUT, "\"out\"");
    }
    check_value(keep(&kept, trace("t1")), TRACE_OUTPUT, "\"out\"");
    assert_false(row_has(keep(&kept, trace("t0")), TRACE_OUTPUT));
    close_capture(&kept);
}

static void patterns_reach_every_text_but_ids(void **state)
{
    struct kept kept = open_capture(CAPTURE_FULL, NULL, "hunter[0-9]");
    const struct row *row = keep(&kept, trace("hunter2"));
    check_value(row, TRACE_ID, "hunter2");
    check_value(row, TRACE_NAME, "name of [REDACTED]");
    check_value(row, TRACE_TAGS, "[\"[REDACTED]\",\"b\"]");
    check_value(row, TRACE_OUTPUT, "\"out\"");
    row = keep(&kept, observation("t", NULL));
    check_value(row, OBSERVATION_ID, "o-hunter2");
    check_value(row, OBSERVATION_INPUT, "\"[REDACTED]\"");
    close_capture(&kept);
}

static void labels_stay_in_order_and_are_there_once(void **state)
{
    struct kept kept = open_capture(CAPTURE_METADATA_ONLY, "host", "hunter[0-9]");
    struct row row = {.kind = ROW_METRIC};
    row_set_slice(&row, METRIC_NAME, SLICE_LITERAL("hunter2_total"));
    row_set_slice(
        &row, METRIC_LABELS,
        SLICE_LITERAL(
            "{\"content\":\"c\",\"host\":\"h\",\"hunter2\":\"hunter3\",\"hunter4\":\"4\"}"));
    row_set_real(&row, METRIC_VALUE, 1.5);
    const struct row *out = keep(&kept, row);
    check_value(out, METRIC_NAME, "[REDACTED]_total");
    check_value(out, METRIC_LABELS,
                "{\"[REDACTED]\":\"4\",\"content\":\"c\",\"host\":\"[REDACTED]\"}");
    assert_true(out->values[METRIC_VALUE].real > 1);
    close_capture(&kept);
}

static void modes_are_known_by_their_words(void **state)
{
    enum capture_mode mode;
    assert_true(capture_mode_parse("Metadata_Only", &mode));
    assert_int_equal(mode, CAPTURE_METADATA_ONLY);
    assert_true(capture_mode_parse("pii_masked", &mode));
    assert_int_equal(mode, CAPTURE_MASKED);
    assert_false(capture_mode_parse("none", &mode));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_keys_go_at_any_depth),
        cmocka_unit_test(what_holds_no_secret_stays_byte_for_byte),
        cmocka_unit_test(patterns_take_what_matches_out_of_strings),
        cmocka_unit_test(a_number_that_matches_goes_whole),
        cmocka_unit_test(json_in_strings_is_looked_into),
        cmocka_unit_test(json_within_json_within_json_is_looked_into),
        cmocka_unit_test(keys_are_found_in_what_is_no_json),
        cmocka_unit_test(masked_knows_what_secrets_look_like),
        cmocka_unit_test(masked_leaves_everyday_text_alone),
        cmocka_unit_test(long_texts_are_searched_to_the_end),
        cmocka_unit_test(a_pattern_that_would_take_forever_takes_the_text),
        cmocka_unit_test(a_bad_pattern_is_named_by_its_number),
        cmocka_unit_test(a_result_stays_within_its_bound),
        cmocka_unit_test(nothing_configured_is_nothing_to_do),
        cmocka_unit_test(metadata_only_drops_what_was_said),
        cmocka_unit_test(error_only_keeps_what_was_said_with_errors),
        cmocka_unit_test(patterns_reach_every_text_but_ids),
        cmocka_unit_test(labels_stay_in_order_and_are_there_once),
        cmocka_unit_test(modes_are_known_by_their_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
