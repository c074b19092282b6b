#include "common/metrics.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { DURATION_FIRST_US = 100, SIZE_FIRST = 1 };

static void observe(struct metric_histogram *histogram, uint64_t value, uint64_t bound)
{
    int bucket = 0;
    while (bucket < METRIC_BUCKETS && value > bound) {
        bound *= 2;
        bucket++;
    }
    metric_add(&histogram->buckets[bucket], 1);
    metric_add(&histogram->sum, value);
}

uint64_t metric_count(const struct metric_histogram *histogram)
{
    uint64_t count = 0;
    for (int i = 0; i <= METRIC_BUCKETS; i++) {
        count += metric_get(&histogram->buckets[i]);
    }
    return count;
}

void metric_observe_duration(struct metric_histogram *histogram, int64_t us)
{
    observe(histogram, us > 0 ? (uint64_t)us : 0, DURATION_FIRST_US);
}

void metric_observe_size(struct metric_histogram *histogram, uint64_t size)
{
    observe(histogram, size, SIZE_FIRST);
}

/* {a,b} or nothing; any of the three may be NULL. */
static void print_labels(struct buf *out, const char *common, const char *labels, const char *bound)
{
    const char *separator = "{";
    const char *parts[] = {common, labels, bound};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (parts[i] != NULL && parts[i][0] != '\0') {
            buf_append_text(out, separator);
            buf_append_text(out, parts[i]);
            separator = ",";
        }
    }
    if (separator[0] == ',') {
        buf_append_char(out, '}');
    }
}

static void print_number(struct buf *out, const struct metric *row, uint64_t value,
                         const char *common)
{
    buf_append_text(out, row->name);
    print_labels(out, common, row->labels, NULL);
    if (row->type == METRIC_SECONDS || row->type == METRIC_SECONDS_TOTAL) {
        buf_printf(out, " %.6f\n", (double)value * 1e-6);
    } else {
        buf_printf(out, " %" PRIu64 "\n", value);
    }
}

static void print_histogram(struct buf *out, const struct metric *row,
                            const struct metric_histogram *histogram, const char *common)
{
    double unit = row->type == METRIC_DURATIONS ? 1e-6 : 1;
    uint64_t bound = row->type == METRIC_DURATIONS ? DURATION_FIRST_US : SIZE_FIRST;
    uint64_t count = 0;
    for (int i = 0; i <= METRIC_BUCKETS; i++) {
        char le[48] = "le=\"+Inf\"";
        if (i < METRIC_BUCKETS) {
            snprintf(le, sizeof(le), "le=\"%g\"", (double)bound * unit);
        }
        count += metric_get(&histogram->buckets[i]);
        buf_printf(out, "%s_bucket", row->name);
        print_labels(out, common, row->labels, le);
        buf_printf(out, " %" PRIu64 "\n", count);
        bound *= 2;
    }
    buf_printf(out, "%s_sum", row->name);
    print_labels(out, common, row->labels, NULL);
    buf_printf(out, " %.6f\n%s_count", (double)metric_get(&histogram->sum) * unit, row->name);
    print_labels(out, common, row->labels, NULL);
    buf_printf(out, " %" PRIu64 "\n", count);
}

void metrics_print(struct buf *out, const struct metric *rows, const void *numbers,
                   const char *common_labels)
{
    static const char *const types[] = {
        [METRIC_COUNTER] = "counter",       [METRIC_GAUGE] = "gauge",
        [METRIC_SECONDS_TOTAL] = "counter", [METRIC_SECONDS] = "gauge",
        [METRIC_DURATIONS] = "histogram",   [METRIC_SIZES] = "histogram",
    };
    for (const struct metric *row = rows; row->name != NULL; row++) {
        const void *number = (const char *)numbers + row->offset;
        if (row->help != NULL) {
            buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", row->name, row->help, row->name,
                       types[row->type]);
        }
        if (row->type == METRIC_DURATIONS || row->type == METRIC_SIZES) {
            print_histogram(out, row, number, common_labels);
        } else {
            print_number(out, row, metric_get(number), common_labels);
        }
    }
}

void metrics_append_label(struct buf *out, const char *name, const char *value)
{
    buf_printf(out, "%s=\"", name);
    for (; *value != '\0'; value++) {
        if (*value == '\n') {
            buf_append_text(out, "\\n");
            continue;
        }
        if (*value == '"' || *value == '\\') {
            buf_append_char(out, '\\');
        }
        buf_append_char(out, *value);
    }
    buf_append_char(out, '"');
}

static long resident_bytes(void)
{
    long total = 0;
    long resident = 0;
    FILE *statm = fopen("/proc/self/statm", "re");
    if (statm == NULL) {
        return 0;
    }
    if (fscanf(statm, "%ld %ld", &total, &resident) != 2) {
        resident = 0;
    }
    fclose(statm);
    return resident * sysconf(_SC_PAGESIZE);
}

static long open_fds(void)
{
    long count = 0;
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL) {
        return 0;
    }
    while (readdir(folder) != NULL) {
        count++;
    }
    closedir(folder);
    return count - 3; /* ".", ".." and the folder itself */
}

void metrics_print_process(struct buf *out)
{
    buf_printf(out,
               "# HELP process_resident_memory_bytes Resident memory size in bytes.\n"
               "# TYPE process_resident_memory_bytes gauge\n"
               "process_resident_memory_bytes %ld\n"
               "# HELP process_open_fds Number of open file descriptors.\n"
               "# TYPE process_open_fds gauge\n"
               "process_open_fds %ld\n",
               resident_bytes(), open_fds());
}
