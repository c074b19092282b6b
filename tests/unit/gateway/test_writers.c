/* Which writers are new. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/writers.h"

static void only_the_first_hello_is_new(void **state)
{
    struct writers *writers = writers_create();
    uint8_t a[ID_SIZE] = {1};
    uint8_t b[ID_SIZE] = {2};
    assert_true(writers_hear(writers, a, 0));
    assert_false(writers_hear(writers, a, 1000));
    assert_true(writers_hear(writers, b, 1000));
    assert_false(writers_hear(writers, a, 2000));
    writers_destroy(writers);
}

static void a_writer_that_was_silent_is_new_again(void **state)
{
    struct writers *writers = writers_create();
    uint8_t a[ID_SIZE] = {1};
    assert_true(writers_hear(writers, a, 0));
    assert_false(writers_hear(writers, a, WRITERS_SILENT_MS));
    assert_true(writers_hear(writers, a, 2 * WRITERS_SILENT_MS + 1));
    writers_destroy(writers);
}

static void many_ids_do_not_grow_it_for_ever(void **state)
{
    struct writers *writers = writers_create();
    for (uint32_t i = 0; i < 5000; i++) {
        uint8_t id[ID_SIZE] = {0};
        memcpy(id, &i, sizeof(i));
        assert_true(writers_hear(writers, id, 0));
    }
    writers_destroy(writers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_first_hello_is_new),
        cmocka_unit_test(a_writer_that_was_silent_is_new_again),
        cmocka_unit_test(many_ids_do_not_grow_it_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
