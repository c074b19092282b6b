/* pg: what the states of PostgreSQL mean for us. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "common/pg.h"

static void states_say_what_to_do_next(void **state)
{
    static const struct {
        const char *sqlstate;
        enum err err;
    } cases[] = {
        {"23505", ERR_CONFLICT},    {"40001", ERR_CONFLICT},    {"40P01", ERR_CONFLICT},
        {"23502", ERR_REFUSED},     {"23514", ERR_REFUSED},     {"22P02", ERR_REFUSED},
        {"22021", ERR_REFUSED},     {"54000", ERR_REFUSED},     {"P0001", ERR_REFUSED},
        {"57014", ERR_TIMEOUT},     {"55P03", ERR_TIMEOUT},     {"57P01", ERR_UNAVAILABLE},
        {"57P03", ERR_UNAVAILABLE}, {"08006", ERR_UNAVAILABLE}, {"53100", ERR_UNAVAILABLE},
        {"53300", ERR_UNAVAILABLE}, {"25006", ERR_UNAVAILABLE}, {"58030", ERR_UNAVAILABLE},
        {"42P01", ERR_INTERNAL},    {"42601", ERR_INTERNAL},    {"25P02", ERR_INTERNAL},
        {"XX000", ERR_INTERNAL},    {"21000", ERR_INTERNAL},    {"", ERR_INTERNAL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(pg_state_err(cases[i].sqlstate), cases[i].err);
    }
}

static void without_a_connection_it_is_unavailable(void **state)
{
    struct error error;
    assert_int_equal(pg_error(NULL, NULL, &error), ERR_UNAVAILABLE);
    assert_string_equal(error.text, "no connection to PostgreSQL");
}

static void a_failed_connection_says_why_in_one_line(void **state)
{
    struct error error;
    PGconn *connection = PQconnectdb("host=/nonexistent user=nobody");
    assert_int_equal(pg_error(connection, NULL, &error), ERR_UNAVAILABLE);
    assert_non_null(strstr(error.text, "/nonexistent"));
    assert_null(strchr(error.text, '\n'));
    PQfinish(connection);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states_say_what_to_do_next),
        cmocka_unit_test(without_a_connection_it_is_unavailable),
        cmocka_unit_test(a_failed_connection_says_why_in_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
