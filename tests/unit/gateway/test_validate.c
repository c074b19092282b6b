/* validate: the rules of every protocol. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "common/buf.h"
#include "common/rfc3339.h"
#include "gateway/ingest/validate.h"

static struct row observation(void)
{
    struct row row = {.kind = ROW_OBSERVATION};
    row_set_slice(&row, OBSERVATION_TRACE_ID, SLICE_LITERAL("t"));
    row_set_slice(&row, OBSERVATION_ID, SLICE_LITERAL("order #42/ünï?x=1"));
    return row;
}

static struct row trace(void)
{
    struct row row = {.kind = ROW_TRACE};
    row_set_slice(&row, TRACE_ID, SLICE_LITERAL("t"));
    return row;
}

/* reason NULL: the row is good. */
static void check(const struct row *row, uint32_t column, uint32_t index, const char *reason)
{
    struct arena arena = ARENA_EMPTY;
    struct violation violation;
    bool valid = validate_row(row, &arena, &violation);
    arena_finish(&arena);
    if (reason == NULL) {
        assert_true(valid);
        return;
    }
    assert_false(valid);
    assert_string_equal(violation.reason, reason);
    assert_int_equal(violation.column, column);
    assert_int_equal(violation.index, index);
}

static void check_text(struct row row, uint32_t column, struct slice text, const char *reason)
{
    row_set_slice(&row, column, text);
    check(&row, column, VALIDATE_NO_INDEX, reason);
}

static void keys_must_be_there(void **state)
{
    struct row row = observation();
    check(&row, 0, 0, NULL);
    row_clear(&row, OBSERVATION_ID);
    check(&row, OBSERVATION_ID, VALIDATE_NO_INDEX, "missing");
    row_clear(&row, OBSERVATION_TRACE_ID);
    check(&row, OBSERVATION_TRACE_ID, VALIDATE_NO_INDEX, "missing");
    struct row score = {.kind = ROW_SCORE};
    check(&score, SCORE_ID, VALIDATE_NO_INDEX, "missing");
    row_set_slice(&score, SCORE_ID, SLICE_LITERAL("s"));
    check(&score, 0, 0, NULL);
}

static void ids_have_content_and_no_carriage_return(void **state)
{
    check_text(observation(), OBSERVATION_ID, SLICE_LITERAL(""), "empty");
    check_text(observation(), OBSERVATION_TRACE_ID, SLICE_LITERAL("a\rb"),
               "holds a carriage return");
    check_text(observation(), OBSERVATION_PARENT_OBSERVATION_ID, SLICE_LITERAL(""), "empty");
    check_text(trace(), TRACE_SESSION_ID, SLICE_LITERAL(""), NULL);
    check_text(trace(), TRACE_USER_ID, SLICE_LITERAL("a\rb"), NULL);
}

static void texts_have_their_limits(void **state)
{
    static char text[100000];
    memset(text, 'x', sizeof(text));
    struct slice id = {text, ROW_ID_MAX}, long_id = {text, ROW_ID_MAX + 1};
    struct slice name = {text, ROW_NAME_MAX}, long_name = {text, ROW_NAME_MAX + 1};
    struct slice longest = {text, sizeof(text)};
    check_text(observation(), OBSERVATION_ID, id, NULL);
    check_text(observation(), OBSERVATION_ID, long_id, "longer than 800 bytes");
    check_text(trace(), TRACE_EXTERNAL_ID, id, NULL);
    check_text(trace(), TRACE_EXTERNAL_ID, long_id, "longer than 800 bytes");
    check_text(observation(), OBSERVATION_MODEL, long_id, "longer than 800 bytes");
    check_text(trace(), TRACE_NAME, name, NULL);
    check_text(trace(), TRACE_NAME, long_name, "longer than 4000 bytes");
    check_text(observation(), OBSERVATION_STATUS_MESSAGE, longest, NULL);
    check_text(trace(), TRACE_INPUT, longest, NULL);
}

static void check_tags(const char *tags, uint32_t index, const char *reason)
{
    struct row row = trace();
    row_set_slice(&row, TRACE_TAGS, slice_from(tags));
    check(&row, TRACE_TAGS, index, reason);
}

static void tags_are_short_strings_and_not_too_many(void **state)
{
    check_tags("[]", 0, NULL);
    check_tags("[\"a\", \"\\u00e9\"]", 0, NULL);
    check_tags("{}", VALIDATE_NO_INDEX, "not an array of strings");
    check_tags("[\"a\",null]", 1, "not a string");
    check_tags("[[]]", 0, "not a string");

    for (uint32_t more = 0; more < 2; more++) {
        struct buf text = BUF_EMPTY;
        buf_append_text(&text, "[\"a\"");
        for (uint32_t i = 1; i < ROW_TAGS_MAX + more; i++) {
            buf_append_text(&text, ",\"a\"");
        }
        buf_append(&text, "]", 2);
        check_tags(text.data, VALIDATE_NO_INDEX, more > 0 ? "more than 1000 tags" : NULL);
        buf_reset(&text);
        /* Counted unescaped. */
        buf_printf(&text, "[\"a\",\"\\u0041%0*d\"]", (int)(ROW_ID_MAX - 1 + more), 0);
        buf_append_char(&text, '\0');
        check_tags(text.data, 1, more > 0 ? "longer than 800 bytes" : NULL);
        buf_finish(&text);
    }
}

static void numbers_have_their_ranges(void **state)
{
    static const struct {
        int64_t tokens;
        const char *reason;
    } tokens[] = {{0, NULL},
                  {VALIDATE_TOKENS_MAX, NULL},
                  {VALIDATE_TOKENS_MAX + 1, "greater than 10^18"},
                  {-1, "negative"},
                  {INT64_MIN, "negative"}};
    for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
        struct row row = observation();
        row_set_integer(&row, OBSERVATION_TOTAL_TOKENS, tokens[i].tokens);
        check(&row, OBSERVATION_TOTAL_TOKENS, VALIDATE_NO_INDEX, tokens[i].reason);
    }
    struct row row = observation();
    row_set_real(&row, OBSERVATION_LATENCY, -1.5);
    check(&row, 0, 0, NULL);
    row_set_real(&row, OBSERVATION_LATENCY, (double)NAN);
    check(&row, OBSERVATION_LATENCY, VALIDATE_NO_INDEX, "not a finite number");
    row_set_real(&row, OBSERVATION_LATENCY, -(double)INFINITY);
    check(&row, OBSERVATION_LATENCY, VALIDATE_NO_INDEX, "not a finite number");
    check_text(observation(), OBSERVATION_TOTAL_COST, SLICE_LITERAL("-1.5e-8"), NULL);
    check_text(observation(), OBSERVATION_TOTAL_COST, SLICE_LITERAL("1e100"),
               "more than 30 digits before the point or 60 behind it");
}

static void times_are_what_postgresql_and_rfc3339_share(void **state)
{
    struct row row = trace();
    row_set_integer(&row, TRACE_TIMESTAMP, RFC3339_MIN_US);
    check(&row, 0, 0, NULL);
    row_set_integer(&row, TRACE_TIMESTAMP, RFC3339_MIN_US - 1);
    check(&row, TRACE_TIMESTAMP, VALIDATE_NO_INDEX, "outside the years 0001 to 9999");
    row_set_integer(&row, TRACE_TIMESTAMP, RFC3339_MAX_US);
    check(&row, 0, 0, NULL);
    row_set_integer(&row, TRACE_TIMESTAMP, RFC3339_MAX_US + 1);
    check(&row, TRACE_TIMESTAMP, VALIDATE_NO_INDEX, "outside the years 0001 to 9999");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_must_be_there),
        cmocka_unit_test(ids_have_content_and_no_carriage_return),
        cmocka_unit_test(texts_have_their_limits),
        cmocka_unit_test(tags_are_short_strings_and_not_too_many),
        cmocka_unit_test(numbers_have_their_ranges),
        cmocka_unit_test(times_are_what_postgresql_and_rfc3339_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
