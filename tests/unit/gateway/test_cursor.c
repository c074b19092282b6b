/* cursor: what SQL made of a page's last row is read back; nothing else passes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/read/cursor.h"

static struct arena arena; /* empty */

static void check_read(const char *text, int64_t us, const char *first, const char *second)
{
    int64_t time_us = 0;
    const char *ids[2] = {NULL, NULL};
    struct error error = {""};
    assert_int_equal(cursor_read(text, &arena, &time_us, ids, second != NULL ? 2 : 1, &error),
                     ERR_OK);
    assert_int_equal(time_us, us);
    assert_string_equal(ids[0], first);
    if (second != NULL) {
        assert_string_equal(ids[1], second);
    }
}

static void check_refused(const char *text)
{
    int64_t time_us;
    const char *id;
    struct error error = {""};
    assert_int_equal(cursor_read(text, &arena, &time_us, &id, 1, &error), ERR_INVALID);
    assert_string_equal(error.text, "cursor: not one that this server gave");
}

static void the_time_and_the_ids_come_back(void **state)
{
    check_read("MTcNYQ", 17, "a", NULL); /* 17\ra */
    check_read("LTENYQ", -1, "a", NULL); /* -1\ra */
    check_read("MA1hDWI", 0, "a", "b");  /* 0\ra\rb */
    check_read("MA3DvywgwqvCuw", 0, "ÿ, «»", NULL);
    check_read("MA0", 0, "", NULL);
}

static void both_alphabets_and_padding_are_taken(void **state)
{
    check_read("MTcNYQ==", 17, "a", NULL);
    check_read("MA3Dvz8-", 0, "ÿ?>", NULL);
    check_read("MA3Dvz8+", 0, "ÿ?>", NULL);
}

static void what_is_no_cursor_is_refused(void **state)
{
    check_refused("x");
    check_refused("%%%%");
    check_refused("MTcN YQ");
    check_refused("");
    check_refused("YQ");                             /* a */
    check_refused("DWE");                            /* \ra */
    check_refused("LQ1h");                           /* -\ra */
    check_refused("MTc");                            /* 17 */
    check_refused("MA1hDWI");                        /* an id too many */
    check_refused("MA3_");                           /* not UTF-8 */
    check_refused("MA0AYQ");                         /* U+0000 */
    check_refused("OTk5OTk5OTk5OTk5OTk5OTk5OTkNYQ"); /* a time beyond all */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_time_and_the_ids_come_back),
        cmocka_unit_test(both_alphabets_and_padding_are_taken),
        cmocka_unit_test(what_is_no_cursor_is_refused),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_finish(&arena);
    return failed;
}
