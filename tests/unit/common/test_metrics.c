/* Numbers as Prometheus text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/metrics.h"

struct numbers {
    metric_number sent[2];
    metric_number held;
    metric_number age;
    metric_number spent;
    struct metric_histogram wait;
    struct metric_histogram size;
};

#define AT(field) .offset = offsetof(struct numbers, field)

static const struct metric rows[] = {
    {"sent_total", "kind=\"a\"", "Sent.", METRIC_COUNTER, AT(sent[0])},
    {"sent_total", "kind=\"b\"", NULL, METRIC_COUNTER, AT(sent[1])},
    {"held", NULL, "Held.", METRIC_GAUGE, AT(held)},
    {"age_seconds", NULL, "Age.", METRIC_SECONDS, AT(age)},
    {"spent_seconds_total", NULL, "Spent.", METRIC_SECONDS_TOTAL, AT(spent)},
    {.name = NULL},
};

static const struct metric wait_rows[] = {
    {"wait_seconds", "route=\"/x\"", "Wait.", METRIC_DURATIONS, AT(wait)},
    {.name = NULL},
};

static const struct metric size_rows[] = {
    {"size", NULL, "Size.", METRIC_SIZES, AT(size)},
    {.name = NULL},
};

static char *print(const struct metric *table, const struct numbers *numbers, const char *common)
{
    struct buf out = BUF_EMPTY;
    metrics_print(&out, table, numbers, common);
    buf_append_char(&out, '\0');
    size_t len;
    return buf_take(&out, &len);
}

static void expect_line(const char *text, const char *line)
{
    const char *found = text;
    while ((found = strstr(found, line)) != NULL) {
        if (found == text || found[-1] == '\n') {
            return;
        }
        found++;
    }
    fail_msg("no line %s in:\n%s", line, text != NULL ? text : "");
}

static void a_name_has_its_help_once_and_a_line_for_each_row(void **state)
{
    struct numbers numbers = {0};
    metric_add(&numbers.sent[0], 3);
    metric_add(&numbers.sent[1], UINT64_MAX);
    metric_set(&numbers.held, 7);
    metric_add(&numbers.held, 2);
    metric_subtract(&numbers.held, 4);
    metric_set(&numbers.age, 1500000);
    metric_add(&numbers.spent, 25);
    char *text = print(rows, &numbers, NULL);
    assert_string_equal(text, "# HELP sent_total Sent.\n"
                              "# TYPE sent_total counter\n"
                              "sent_total{kind=\"a\"} 3\n"
                              "sent_total{kind=\"b\"} 18446744073709551615\n"
                              "# HELP held Held.\n"
                              "# TYPE held gauge\n"
                              "held 5\n"
                              "# HELP age_seconds Age.\n"
                              "# TYPE age_seconds gauge\n"
                              "age_seconds 1.500000\n"
                              "# HELP spent_seconds_total Spent.\n"
                              "# TYPE spent_seconds_total counter\n"
                              "spent_seconds_total 0.000025\n");
    free(text);
}

static void common_labels_come_first(void **state)
{
    struct numbers numbers = {0};
    char *text = print(rows, &numbers, "project=\"p\"");
    expect_line(text, "sent_total{project=\"p\",kind=\"a\"} 0\n");
    expect_line(text, "held{project=\"p\"} 0\n");
    free(text);
}

static void durations_are_cumulative_and_in_seconds(void **state)
{
    struct numbers numbers = {0};
    metric_observe_duration(&numbers.wait, -5);
    metric_observe_duration(&numbers.wait, 100);
    metric_observe_duration(&numbers.wait, 101);
    metric_observe_duration(&numbers.wait, 3276800);
    metric_observe_duration(&numbers.wait, 3276801);
    assert_int_equal(metric_count(&numbers.wait), 5);
    char *text = print(wait_rows, &numbers, NULL);
    expect_line(text, "# TYPE wait_seconds histogram\n");
    expect_line(text, "wait_seconds_bucket{route=\"/x\",le=\"0.0001\"} 2\n");
    expect_line(text, "wait_seconds_bucket{route=\"/x\",le=\"0.0002\"} 3\n");
    expect_line(text, "wait_seconds_bucket{route=\"/x\",le=\"1.6384\"} 3\n");
    expect_line(text, "wait_seconds_bucket{route=\"/x\",le=\"3.2768\"} 4\n");
    expect_line(text, "wait_seconds_bucket{route=\"/x\",le=\"+Inf\"} 5\n");
    expect_line(text, "wait_seconds_sum{route=\"/x\"} 6.553802\n");
    expect_line(text, "wait_seconds_count{route=\"/x\"} 5\n");
    free(text);
}

static void sizes_are_plain_numbers(void **state)
{
    struct numbers numbers = {0};
    metric_observe_size(&numbers.size, 0);
    metric_observe_size(&numbers.size, 3);
    metric_observe_size(&numbers.size, 100000);
    char *text = print(size_rows, &numbers, NULL);
    expect_line(text, "size_bucket{le=\"1\"} 1\n");
    expect_line(text, "size_bucket{le=\"2\"} 1\n");
    expect_line(text, "size_bucket{le=\"4\"} 2\n");
    expect_line(text, "size_bucket{le=\"32768\"} 2\n");
    expect_line(text, "size_bucket{le=\"+Inf\"} 3\n");
    expect_line(text, "size_sum 100003.000000\n");
    free(text);
}

static void label_values_are_escaped(void **state)
{
    struct buf out = BUF_EMPTY;
    metrics_append_label(&out, "project", "a\"b\\c\nd");
    buf_append_char(&out, '\0');
    assert_string_equal(out.data, "project=\"a\\\"b\\\\c\\nd\"");
    buf_finish(&out);
}

static void the_process_has_memory_and_files(void **state)
{
    struct buf out = BUF_EMPTY;
    metrics_print_process(&out);
    buf_append_char(&out, '\0');
    expect_line(out.data, "process_resident_memory_bytes ");
    expect_line(out.data, "process_open_fds ");
    assert_true(atol(strstr(out.data, "\nprocess_open_fds ") + strlen("\nprocess_open_fds ")) >= 3);
    buf_finish(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_has_its_help_once_and_a_line_for_each_row),
        cmocka_unit_test(common_labels_come_first),
        cmocka_unit_test(durations_are_cumulative_and_in_seconds),
        cmocka_unit_test(sizes_are_plain_numbers),
        cmocka_unit_test(label_values_are_escaped),
        cmocka_unit_test(the_process_has_memory_and_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
