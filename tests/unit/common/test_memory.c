/* buf and arena: memory that grows and is given back; errors in words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/error.h"

static void a_buf_grows_and_is_taken(void **state)
{
    struct buf buf = BUF_EMPTY;
    for (int i = 0; i < 1000; i++) {
        buf_printf(&buf, "%d,", i % 10);
    }
    buf_append(&buf, NULL, 0);
    buf_append_be16(&buf, 0x0102);
    buf_append_be32(&buf, 0x03040506);
    buf_append_be64(&buf, UINT64_C(0x0708090a0b0c0d0e));
    buf_put_be32(&buf, 2002, 0xfffefdfc);
    size_t len;
    char *data = buf_take(&buf, &len);
    assert_int_equal(len, 2014);
    assert_memory_equal(data, "0,1,2,", 6);
    assert_memory_equal(data + 2000, "\x01\x02\xff\xfe\xfd\xfc\x07\x08", 8);
    assert_null(buf.data);
    free(data);
    buf_finish(&buf);
}

static void an_arena_hands_out_aligned_memory_until_reset(void **state)
{
    struct arena arena = ARENA_EMPTY;
    for (size_t i = 0; i < 5000; i++) {
        unsigned char *memory = arena_zalloc(&arena, i % 97);
        assert_int_equal((uintptr_t)memory % _Alignof(max_align_t), 0);
    }
    assert_non_null(arena_alloc(&arena, 1 << 20));
    assert_string_equal(arena_text(&arena, SLICE_LITERAL("text")), "text");
    assert_true(slice_is(arena_copy(&arena, SLICE_LITERAL("copy")), "copy"));
    assert_int_equal(arena_copy(&arena, (struct slice){NULL, 0}).len, 0);
    assert_true(arena.used > 1 << 20);
    arena_reset(&arena);
    assert_int_equal(arena.used, 0);
    assert_non_null(arena_alloc(&arena, 8));
    arena_finish(&arena);
    arena_finish(&arena);
}

static void a_context_stands_before_the_words(void **state)
{
    struct error error;
    assert_int_equal(error_set(&error, ERR_INVALID, "bad %s", "byte"), ERR_INVALID);
    error_context(&error, "row %d", 3);
    assert_string_equal(error.text, "row 3: bad byte");
    assert_int_equal(error_set(NULL, ERR_BUSY, "nobody listens"), ERR_BUSY);
    error_context(NULL, "nobody");
    assert_string_equal(err_name(ERR_TOO_LARGE), "too_large");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_buf_grows_and_is_taken),
        cmocka_unit_test(an_arena_hands_out_aligned_memory_until_reset),
        cmocka_unit_test(a_context_stands_before_the_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
