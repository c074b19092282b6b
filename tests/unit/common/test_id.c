/* id: random ids, UUID spellings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "common/id.h"

static void uuids_of_any_form_become_one(void **state)
{
    static const char *const texts[] = {
        "01234567-89ab-cdef-0123-456789abcdef",
        "0123456789abcdef0123456789abcdef",
        "01234567-89AB-CDEF-0123-456789ABCDEF",
        "0123456789ABCDEF0123456789ABCDEF",
        "{01234567-89ab-cdef-0123-456789abcdef}",
        "urn:uuid:01234567-89ab-cdef-0123-456789abcdef",
        "URN:UUID:01234567-89ab-CDEF-0123-456789abcdef",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char out[UUID_TEXT_SIZE + 1];
        assert_true(uuid_normalise(slice_from(texts[i]), out));
        assert_string_equal(out, texts[0]);
    }
}

static void anything_else_is_no_uuid(void **state)
{
    static const char *const texts[] = {
        "",
        "abc",
        "0123456789abcdef0123456789abcde",
        "0123456789abcdef0123456789abcdef0",
        "0123456789abcdef0123456789abcdeg",
        "01234567-89ab-cdef-0123-456789abcde",
        "01234567-89ab-cdef-0123_456789abcdef",
        "0123-4567-89ab-cdef-0123456789abcdef",
        "01234567-89ab-cdef-01234-56789abcdef",
        "{0123456789abcdef0123456789abcdef}",
        "{01234567-89ab-cdef-0123-456789abcdef",
        "(01234567-89ab-cdef-0123-456789abcdef)",
        "urn:uuid:0123456789abcdef0123456789abcdef",
        " 01234567-89ab-cdef-0123-456789abcde",
        "------------------------------------",
        "01234567-89ab-cdef-0123-456789abcde\xff",
    };
    char out[UUID_TEXT_SIZE + 1] = "untouched";
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_false(uuid_normalise(slice_from(texts[i]), out));
    }
    assert_false(uuid_normalise((struct slice){NULL, 0}, out));
    assert_string_equal(out, "untouched");
}

static void random_ids_differ(void **state)
{
    enum { MANY = 1000 };
    static uint8_t ids[MANY][ID_SIZE];
    for (int i = 0; i < MANY; i++) {
        id_random(ids[i]);
        for (int j = 0; j < i; j++) {
            assert_memory_not_equal(ids[i], ids[j], ID_SIZE);
        }
    }
}

static void a_random_uuid_is_of_version_4(void **state)
{
    char uuid[UUID_TEXT_SIZE + 1], again[UUID_TEXT_SIZE + 1];
    for (int i = 0; i < 100; i++) {
        uuid_random(uuid);
        assert_int_equal(uuid[14], '4');
        assert_non_null(memchr("89ab", uuid[19], 4));
        assert_true(uuid_normalise(slice_from(uuid), again));
        assert_string_equal(uuid, again);
    }
}

static void hex_is_lower_case(void **state)
{
    const uint8_t id[ID_SIZE] = {0x00, 0x01, 0xab, 0xff, [15] = 0x10};
    char hex[HEX_TEXT_SIZE + 1];
    id_hex(id, hex);
    assert_string_equal(hex, "0001abff000000000000000000000010");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uuids_of_any_form_become_one),
        cmocka_unit_test(anything_else_is_no_uuid),
        cmocka_unit_test(random_ids_differ),
        cmocka_unit_test(a_random_uuid_is_of_version_4),
        cmocka_unit_test(hex_is_lower_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
