/* json_write: strings go out escaped, and read back as they were. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/json_read.h"
#include "common/json_write.h"

static void assert_written(struct slice text, const char *json)
{
    struct buf buf = BUF_EMPTY;
    json_write_string(&buf, text);
    assert_int_equal(buf.len, strlen(json));
    assert_memory_equal(buf.data, json, buf.len);
    buf_finish(&buf);
}

static void strings_are_escaped(void **state)
{
    assert_written(SLICE_LITERAL(""), "\"\"");
    assert_written((struct slice){NULL, 0}, "\"\"");
    assert_written(SLICE_LITERAL("plain \xc3\xa9 /"), "\"plain \xc3\xa9 /\"");
    assert_written(SLICE_LITERAL("\"\\"), "\"\\\"\\\\\"");
    assert_written(SLICE_LITERAL("a\b\f\n\r\tz"), "\"a\\b\\f\\n\\r\\tz\"");
    assert_written(SLICE_LITERAL("\0\x01\x1f\x7f"), "\"\\u0000\\u0001\\u001f\x7f\"");
}

static void every_ascii_character_reads_back(void **state)
{
    char all[127];
    struct buf buf = BUF_EMPTY;
    struct arena arena = ARENA_EMPTY;
    struct json_reader reader;
    struct slice back;
    for (size_t i = 0; i < sizeof(all); i++) {
        all[i] = (char)(i + 1);
    }
    json_write_string(&buf, (struct slice){all, sizeof(all)});
    json_reader_init(&reader, buf.data, buf.len, 1, &arena);
    assert_true(json_string(&reader, &back));
    assert_int_equal(json_end(&reader, NULL), ERR_OK);
    assert_true(slice_equals(back, (struct slice){all, sizeof(all)}));
    arena_finish(&arena);
    buf_finish(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_are_escaped),
        cmocka_unit_test(every_ascii_character_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
