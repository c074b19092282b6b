/* The gateway's own numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/books.h"
#include "gateway/deliver.h"
#include "gateway/routes.h"
#include "gateway/server.h"

static const struct route table[] = {
    {"GET", "/api/{id}", NULL, ACCESS_OPEN, false, false},
    {"POST", "/api", NULL, ACCESS_OPEN, false, true},
    {.method = NULL},
};

struct fixture {
    char folder[64];
    char queue[128];
    struct config config;
    struct gateway gateway;
    char *text; /* of the last print */
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    strcpy(f->folder, "/tmp/xtrace-test-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->queue, sizeof(f->queue), "ipc://%s/queue", f->folder);
    f->config.max_in_flight_bytes = 1000;
    f->gateway.config = &f->config;
    f->gateway.books = books_create(table, "a \"project\"");
    struct deliver_options options = {f->queue, 1000, 1000, 1000, f->gateway.books};
    struct error error;
    assert_int_equal(deliver_open(&f->gateway.deliver, &options, &error), ERR_OK);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    deliver_close(f->gateway.deliver);
    books_destroy(f->gateway.books);
    char command[128];
    snprintf(command, sizeof(command), "rm -rf %s", f->folder);
    assert_int_equal(system(command), 0);
    free(f->text);
    free(f);
    return 0;
}

static void print(struct fixture *f)
{
    struct buf out = BUF_EMPTY;
    size_t len;
    books_print(&f->gateway, &out);
    buf_append_char(&out, '\0');
    free(f->text);
    f->text = buf_take(&out, &len);
}

static bool has(const struct fixture *f, const char *line)
{
    const char *found = f->text;
    size_t len = strlen(line);
    while ((found = strstr(found, line)) != NULL) {
        if (found[-1] == '\n' && found[len] == '\n') {
            return true;
        }
        found++;
    }
    return false;
}

static void records_are_counted_by_kind_and_outcome(void **state)
{
    struct fixture *f = *state;
    struct books *books = f->gateway.books;
    const char *name = "a \"project\"";
    books_receive(books, name, (uint32_t[ROW_KIND_COUNT]){[ROW_TRACE] = 2, [ROW_OBSERVATION] = 9});
    books_settle(books, name, BOOKS_STORED, (uint32_t[ROW_KIND_COUNT]){[ROW_OBSERVATION] = 8});
    books_settle(books, name, BOOKS_DEAD_LETTERED,
                 (uint32_t[ROW_KIND_COUNT]){[ROW_OBSERVATION] = 1});
    print(f);
#define PROJECT "{project=\"a \\\"project\\\"\","
    assert_true(has(f, "xtrace_gateway_records_received_total" PROJECT "kind=\"trace\"} 2"));
    assert_true(has(f, "xtrace_gateway_records_received_total" PROJECT "kind=\"observation\"} 9"));
    assert_true(has(f, "xtrace_gateway_records_received_total" PROJECT "kind=\"score\"} 0"));
    assert_true(has(f, "xtrace_gateway_records_settled_total" PROJECT
                       "kind=\"observation\",outcome=\"stored\"} 8"));
    assert_true(has(f, "xtrace_gateway_records_settled_total" PROJECT
                       "kind=\"observation\",outcome=\"dead_lettered\"} 1"));
    assert_true(has(f, "xtrace_gateway_in_flight_bytes_max 1000"));
}

static size_t count_of(const struct fixture *f, const char *words)
{
    size_t count = 0;
    for (const char *at = f->text; (at = strstr(at, words)) != NULL; at++) {
        count++;
    }
    return count;
}

static void note(struct fixture *f, const char *name, const char *version, const char *integration)
{
    senders_note(&f->gateway.books->senders, slice_from(name), slice_from(version),
                 slice_from(integration));
}

static void writes_are_counted_by_the_sdk_that_they_name(void **state)
{
    struct fixture *f = *state;
    note(f, "", "1", "");
    print(f);
    assert_null(strstr(f->text, "xtrace_gateway_sdk_requests_total"));
    note(f, "python", "2.60.0", "langchain");
    note(f, "langfuse-js", "3.38.4", "");
    note(f, "python", "2.60.0", "langchain");
    note(f, "a\"b", "1", "");
    note(f, "a\nb", "1", "");
    note(f, "python", "a version that is longer than any version of anything has to be......", "");
    print(f);
#define BY_SDK "xtrace_gateway_sdk_requests_total{sdk="
    assert_true(has(f, BY_SDK "\"python\",version=\"2.60.0\",integration=\"langchain\"} 2"));
    assert_true(has(f, BY_SDK "\"langfuse-js\",version=\"3.38.4\",integration=\"\"} 1"));
    assert_true(has(f, BY_SDK "\"other\",version=\"\",integration=\"\"} 3"));
    assert_int_equal(count_of(f, "# HELP xtrace_gateway_sdk_requests_total "), 1);
}

static void sdks_beyond_a_number_share_a_line(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < SENDERS_MAX + 10; i++) {
        char version[16];
        snprintf(version, sizeof(version), "1.%d", i);
        note(f, "python", version, "");
        note(f, "python", version, "");
    }
    print(f);
    assert_int_equal(count_of(f, BY_SDK), SENDERS_MAX + 1);
    assert_true(has(f, BY_SDK "\"python\",version=\"1.63\",integration=\"\"} 2"));
    assert_true(has(f, BY_SDK "\"other\",version=\"\",integration=\"\"} 20"));
}

static void each_project_has_books_of_its_own(void **state)
{
    struct fixture *f = *state;
    uint32_t one[ROW_KIND_COUNT] = {[ROW_TRACE] = 1};
    uint32_t two[ROW_KIND_COUNT] = {[ROW_TRACE] = 2};
    books_receive(f->gateway.books, "b", one);
    books_receive(f->gateway.books, "c", two);
    books_receive(f->gateway.books, "b", two);
    print(f);
#define RECEIVED_BY(project)                                                                       \
    "xtrace_gateway_records_received_total{project=\"" project "\",kind=\"trace\"} "
    assert_true(has(f, RECEIVED_BY("b") "3"));
    assert_true(has(f, RECEIVED_BY("c") "2"));
    assert_int_equal(count_of(f, "# HELP xtrace_gateway_records_received_total "), 1);
    assert_int_equal(count_of(f, "# TYPE xtrace_gateway_records_settled_total "), 1);
    /* Lines of one name stand together. */
    const char *settled = strstr(f->text, "\nxtrace_gateway_records_settled_total");
    assert_null(strstr(settled, "\nxtrace_gateway_records_received_total"));
}

static void projects_beyond_a_number_share_their_books(void **state)
{
    struct fixture *f = *state;
    uint32_t one[ROW_KIND_COUNT] = {[ROW_TRACE] = 1};
    for (int i = 0; i < BOOKS_PROJECTS_MAX + 10; i++) {
        char name[16];
        snprintf(name, sizeof(name), "p%d", i);
        books_receive(f->gateway.books, name, one);
    }
    books_receive(f->gateway.books, "p0", one);
    print(f);
    assert_true(has(f, RECEIVED_BY("p0") "2"));
    assert_true(has(f, RECEIVED_BY("p254") "1"));
    assert_true(has(f, RECEIVED_BY("") "11")); /* the first project is the setting's */
    assert_int_equal(count_of(f, "records_received_total{project="),
                     (BOOKS_PROJECTS_MAX + 1) * ROW_KIND_COUNT);
}

static void routes_have_series_only_when_they_were_used(void **state)
{
    struct fixture *f = *state;
    struct books *books = f->gateway.books;
    print(f);
    assert_null(strstr(f->text, "xtrace_gateway_request_seconds"));
    books_request(books, &table[0], 200, 50);
    books_request(books, &table[0], 204, 50);
    books_request(books, &table[1], 503, 50);
    books_request(books, NULL, 404, 50);
    books_request(books, &table[1], 0, 50);
    books_request(books, &table[1], 999, 50);
    print(f);
#define COUNT "xtrace_gateway_request_seconds_count{"
    assert_true(has(f, COUNT "method=\"GET\",route=\"/api/{id}\",status=\"2xx\"} 2"));
    assert_true(has(f, COUNT "method=\"POST\",route=\"/api\",status=\"5xx\"} 1"));
    assert_true(has(f, COUNT "method=\"POST\",route=\"/api\",status=\"gone\"} 1"));
    assert_true(has(f, COUNT "method=\"other\",route=\"other\",status=\"4xx\"} 1"));
    assert_null(strstr(f->text, "status=\"3xx\""));
}

static void queries_are_counted_by_their_end(void **state)
{
    struct fixture *f = *state;
    books_query(f->gateway.books, ERR_OK);
    books_query(f->gateway.books, ERR_TIMEOUT);
    books_query(f->gateway.books, ERR_INTERNAL);
    print(f);
#define QUERIES "xtrace_gateway_database_queries_total{outcome="
    assert_true(has(f, QUERIES "\"done\"} 1"));
    assert_true(has(f, QUERIES "\"timeout\"} 1"));
    assert_true(has(f, QUERIES "\"failed\"} 1"));
    assert_true(has(f, QUERIES "\"busy\"} 0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(records_are_counted_by_kind_and_outcome, setup, teardown),
        cmocka_unit_test_setup_teardown(writes_are_counted_by_the_sdk_that_they_name, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(sdks_beyond_a_number_share_a_line, setup, teardown),
        cmocka_unit_test_setup_teardown(each_project_has_books_of_its_own, setup, teardown),
        cmocka_unit_test_setup_teardown(projects_beyond_a_number_share_their_books, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(routes_have_series_only_when_they_were_used, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(queries_are_counted_by_their_end, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
