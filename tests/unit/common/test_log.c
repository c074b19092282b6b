/* log: one event, one line, nothing that breaks out of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"

/* What log_event wrote to stderr since capture_begin. */
struct capture {
    FILE *file;
    int saved_stderr;
    char text[8192];
};

static void capture_begin(struct capture *capture)
{
    capture->file = tmpfile();
    assert_non_null(capture->file);
    capture->saved_stderr = dup(STDERR_FILENO);
    dup2(fileno(capture->file), STDERR_FILENO);
}

static void capture_end(struct capture *capture)
{
    dup2(capture->saved_stderr, STDERR_FILENO);
    close(capture->saved_stderr);
    rewind(capture->file);
    size_t len = fread(capture->text, 1, sizeof(capture->text) - 1, capture->file);
    capture->text[len] = '\0';
    fclose(capture->file);
}

/* The line without its time. */
static const char *line_of(const struct capture *capture, const char *after_time)
{
    const char *rest = strstr(capture->text, after_time);
    assert_non_null(rest);
    return rest;
}

static void a_text_line_is_key_value(void **state)
{
    struct capture capture;
    log_open("prog", LOG_INFO, LOG_FORMAT_TEXT);
    capture_begin(&capture);
    log_event(LOG_INFO, "listening", "address", "127.0.0.1:8080", "threads", log_text("%d", 4),
              NULL);
    capture_end(&capture);
    assert_memory_equal(capture.text, "time=2", 6);
    assert_string_equal(line_of(&capture, " level="),
                        " level=info program=prog event=listening address=127.0.0.1:8080"
                        " threads=4\n");
}

static void a_text_value_cannot_break_out(void **state)
{
    struct capture capture;
    log_open("prog", LOG_INFO, LOG_FORMAT_TEXT);
    capture_begin(&capture);
    log_event(LOG_WARN, "two words", "a", "", "b", "x=y", "c", "say \"hi\"", "d", "l1\nl2\r", "e",
              "back\\slash", "f", "\x1b[31m", "g", NULL, "h", "\xc3\xa9\xff", NULL);
    capture_end(&capture);
    assert_string_equal(line_of(&capture, " level="),
                        " level=warn program=prog event=\"two words\" a=\"\" b=\"x=y\""
                        " c=\"say \\\"hi\\\"\" d=\"l1\\nl2\\r\" e=\"back\\\\slash\""
                        " f=\"\\u001b[31m\" g=\"\" h=\xc3\xa9\xef\xbf\xbd\n");
}

static void a_json_line_is_one_object(void **state)
{
    struct capture capture;
    log_open("prog", LOG_INFO, LOG_FORMAT_JSON);
    capture_begin(&capture);
    log_event(LOG_ERROR, "it broke", "why", "a \"b\"\n\x01\xff", NULL);
    capture_end(&capture);
    assert_memory_equal(capture.text, "{\"time\":\"2", 10);
    assert_string_equal(line_of(&capture, ",\"level\""),
                        ",\"level\":\"error\",\"program\":\"prog\",\"event\":\"it broke\","
                        "\"why\":\"a \\\"b\\\"\\n\\u0001\xef\xbf\xbd\"}\n");
}

static void levels_below_the_set_one_are_silent(void **state)
{
    struct capture capture;
    log_open("prog", LOG_WARN, LOG_FORMAT_TEXT);
    assert_false(log_is_enabled(LOG_INFO));
    assert_true(log_is_enabled(LOG_WARN));
    capture_begin(&capture);
    log_event(LOG_INFO, "quiet", NULL);
    log_event(LOG_DEBUG, "quieter", NULL);
    capture_end(&capture);
    assert_string_equal(capture.text, "");
}

static void a_long_value_is_cut(void **state)
{
    struct capture capture;
    char value[2 * LOG_VALUE_MAX];
    memset(value, 'x', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    log_open("prog", LOG_INFO, LOG_FORMAT_TEXT);
    capture_begin(&capture);
    log_event(LOG_INFO, "long", "value", value, NULL);
    capture_end(&capture);
    const char *written = line_of(&capture, "value=") + strlen("value=");
    assert_int_equal(strlen(written), LOG_VALUE_MAX + strlen("...\n"));
    assert_string_equal(written + LOG_VALUE_MAX, "...\n");
}

static void sixteen_texts_live_at_once(void **state)
{
    const char *texts[16];
    for (int i = 0; i < 16; i++) {
        texts[i] = log_text("%d", i);
    }
    for (int i = 0; i < 16; i++) {
        char expected[8];
        snprintf(expected, sizeof(expected), "%d", i);
        assert_string_equal(texts[i], expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_line_is_key_value),
        cmocka_unit_test(a_text_value_cannot_break_out),
        cmocka_unit_test(a_json_line_is_one_object),
        cmocka_unit_test(levels_below_the_set_one_are_silent),
        cmocka_unit_test(a_long_value_is_cut),
        cmocka_unit_test(sixteen_texts_live_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
