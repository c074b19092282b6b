/* settings: environment -> struct. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/settings.h"

struct config {
    const char *url;
    const char *name;
    const char *secret;
    int64_t count;
    int64_t rate;
    bool flag;
    enum log_level level;
};

static const struct setting rows[] = {
    {.key = "T_URL",
     .type = SETTING_SECRET,
     .offset = offsetof(struct config, url),
     .required = true,
     .help = "where it is"},
    {.key = "T_NAME",
     .type = SETTING_TEXT,
     .offset = offsetof(struct config, name),
     .fallback = "default",
     .help = "what it is called"},
    {.key = "T_SECRET",
     .also = "T_OLD_SECRET",
     .type = SETTING_SECRET,
     .offset = offsetof(struct config, secret),
     .help = "what nobody knows"},
    {.key = "T_COUNT",
     .type = SETTING_INT,
     .offset = offsetof(struct config, count),
     .fallback = "4",
     .min = -1,
     .max = 100,
     .help = "how many"},
    {.key = "T_RATE",
     .type = SETTING_INT,
     .offset = offsetof(struct config, rate),
     .fallback = "20",
     .lenient = true,
     .max = 1000,
     .help = "a second"},
    {.key = "T_FLAG",
     .type = SETTING_BOOL,
     .offset = offsetof(struct config, flag),
     .fallback = "0",
     .help = "whether"},
    {.key = "T_LEVEL",
     .type = SETTING_WORD,
     .words = log_level_words,
     .offset = offsetof(struct config, level),
     .fallback = "warn",
     .help = "how much"},
    {.key = NULL},
};

static int clear(void **state)
{
    for (const struct setting *row = rows; row->key != NULL; row++) {
        unsetenv(row->key);
    }
    unsetenv("T_OLD_SECRET");
    setenv("T_URL", "somewhere", 1);
    return 0;
}

static void defaults_stand_where_nothing_is_set(void **state)
{
    struct config config;
    assert_int_equal(settings_read(rows, &config, NULL), ERR_OK);
    assert_string_equal(config.url, "somewhere");
    assert_string_equal(config.name, "default");
    assert_null(config.secret);
    assert_int_equal(config.count, 4);
    assert_int_equal(config.rate, 20);
    assert_false(config.flag);
    assert_int_equal(config.level, LOG_WARN);
    settings_finish(rows, &config);
    assert_null(config.url);
}

static void what_is_set_is_taken(void **state)
{
    struct config config;
    setenv("T_NAME", "n", 1);
    setenv("T_COUNT", "-1", 1);
    setenv("T_RATE", "0", 1);
    setenv("T_FLAG", "Yes", 1);
    setenv("T_LEVEL", "Debug", 1);
    assert_int_equal(settings_read(rows, &config, NULL), ERR_OK);
    assert_string_equal(config.name, "n");
    assert_int_equal(config.count, -1);
    assert_int_equal(config.rate, 0);
    assert_true(config.flag);
    assert_int_equal(config.level, LOG_DEBUG);
    settings_finish(rows, &config);
}

static void another_word_is_told_which_there_are(void **state)
{
    struct config config;
    struct error error;
    setenv("T_LEVEL", "loud", 1);
    assert_int_equal(settings_read(rows, &config, &error), ERR_INVALID);
    assert_string_equal(error.text, "T_LEVEL must be debug, info, warn or error");
}

static void a_missing_required_setting_is_named_with_its_help(void **state)
{
    struct config config;
    struct error error;
    unsetenv("T_URL");
    assert_int_equal(settings_read(rows, &config, &error), ERR_INVALID);
    assert_string_equal(error.text, "T_URL is required: where it is");
    assert_null(config.name);
}

static void an_empty_value_counts_as_unset(void **state)
{
    struct config config;
    struct error error;
    setenv("T_NAME", "", 1);
    setenv("T_COUNT", "", 1);
    assert_int_equal(settings_read(rows, &config, NULL), ERR_OK);
    assert_string_equal(config.name, "default");
    assert_int_equal(config.count, 4);
    settings_finish(rows, &config);
    setenv("T_URL", "", 1);
    assert_int_equal(settings_read(rows, &config, &error), ERR_INVALID);
}

static void the_other_name_is_read_when_the_first_is_unset(void **state)
{
    struct config config;
    setenv("T_OLD_SECRET", "old", 1);
    assert_int_equal(settings_read(rows, &config, NULL), ERR_OK);
    assert_string_equal(config.secret, "old");
    settings_finish(rows, &config);
    setenv("T_SECRET", "new", 1);
    assert_int_equal(settings_read(rows, &config, NULL), ERR_OK);
    assert_string_equal(config.secret, "new");
    settings_finish(rows, &config);
}

static void a_bad_number_is_an_error_that_names_the_setting(void **state)
{
    static const char *const values[] = {"x", "4x",  "4 ", " 4",  "+4",  "4.0",
                                         "-", "101", "-2", "1e1", "0x4", "99999999999999999999"};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        struct config config;
        struct error error;
        setenv("T_COUNT", values[i], 1);
        assert_int_equal(settings_read(rows, &config, &error), ERR_INVALID);
        assert_string_equal(error.text, "T_COUNT must be a whole number from -1 to 100");
    }
}

static void a_bad_lenient_number_gives_the_default(void **state)
{
    struct config config;
    log_open("test", LOG_ERROR, LOG_FORMAT_TEXT);
    setenv("T_RATE", "many", 1);
    assert_int_equal(settings_read(rows, &config, NULL), ERR_OK);
    assert_int_equal(config.rate, 20);
    settings_finish(rows, &config);
    setenv("T_RATE", "-5", 1);
    assert_int_equal(settings_read(rows, &config, NULL), ERR_OK);
    assert_int_equal(config.rate, 20);
    settings_finish(rows, &config);
}

static void booleans_have_eight_spellings(void **state)
{
    static const char *const yes[] = {"1", "true", "TRUE", "yes", "on", "On"};
    static const char *const no[] = {"0", "false", "False", "no", "NO", "off"};
    struct config config;
    struct error error;
    for (size_t i = 0; i < 6; i++) {
        setenv("T_FLAG", yes[i], 1);
        assert_int_equal(settings_read(rows, &config, NULL), ERR_OK);
        assert_true(config.flag);
        settings_finish(rows, &config);
        setenv("T_FLAG", no[i], 1);
        assert_int_equal(settings_read(rows, &config, NULL), ERR_OK);
        assert_false(config.flag);
        settings_finish(rows, &config);
    }
    setenv("T_FLAG", "2", 1);
    assert_int_equal(settings_read(rows, &config, &error), ERR_INVALID);
    assert_string_equal(error.text, "T_FLAG must be 1, true, yes, on or 0, false, no, off");
}

static void help_lists_every_key_and_no_value(void **state)
{
    char *text = NULL;
    size_t len = 0;
    setenv("T_SECRET", "hush", 1);
    FILE *out = open_memstream(&text, &len);
    assert_non_null(out);
    settings_print(rows, out);
    fclose(out);
    for (const struct setting *row = rows; row->key != NULL; row++) {
        assert_non_null(strstr(text, row->key));
        assert_non_null(strstr(text, row->help));
    }
    assert_non_null(strstr(text, "T_OLD_SECRET"));
    assert_null(strstr(text, "hush"));
    assert_null(strstr(text, "somewhere"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(defaults_stand_where_nothing_is_set, clear),
        cmocka_unit_test_setup(what_is_set_is_taken, clear),
        cmocka_unit_test_setup(another_word_is_told_which_there_are, clear),
        cmocka_unit_test_setup(a_missing_required_setting_is_named_with_its_help, clear),
        cmocka_unit_test_setup(an_empty_value_counts_as_unset, clear),
        cmocka_unit_test_setup(the_other_name_is_read_when_the_first_is_unset, clear),
        cmocka_unit_test_setup(a_bad_number_is_an_error_that_names_the_setting, clear),
        cmocka_unit_test_setup(a_bad_lenient_number_gives_the_default, clear),
        cmocka_unit_test_setup(booleans_have_eight_spellings, clear),
        cmocka_unit_test_setup(help_lists_every_key_and_no_value, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
