/* The query of the metrics routes: a byte for the version, and the JSON. Whatever it says: the statement has
 * none of its bytes, refers to values that are bound, closes what it opens; what is refused is told in words. */
#include <ctype.h>
#include <string.h>

#include "common/utf8.h"
#include "gateway/read/metrics_sql.h"
#include "gateway/read/read.h"
#include "tests/fuzz/check.h"

static void check_request(const struct metrics_request *request)
{
    CHECK(request->view != NULL && request->from_us < request->to_us);
    CHECK(request->dimension_count <= METRICS_DIMENSIONS_MAX);
    CHECK(request->metric_count >= 1 && request->metric_count <= METRICS_METRICS_MAX);
    CHECK(request->order_count <= METRICS_ORDERS_MAX);
    CHECK(request->bins >= 1 && request->bins <= METRICS_BINS_MAX);
    CHECK(request->row_limit >= 0 && request->row_limit <= METRICS_ROWS_MAX);
    for (size_t i = 0; i < request->order_count; i++) {
        const struct metrics_order *order = &request->orders[i];
        CHECK(order->by == METRICS_BY_TIME ||
              order->index < (order->by == METRICS_BY_METRIC ? request->metric_count
                                                             : request->dimension_count));
    }
}

/* What our pieces of SQL are made of. */
static void check_sql(struct slice sql, int value_count)
{
    int depth = 0;
    bool is_quoted = false;
    for (size_t i = 0; i < sql.len; i++) {
        unsigned char c = (unsigned char)sql.data[i];
        CHECK(isalnum(c) || (c != '\0' && strchr(" %$():[]{}<>=&@*/~|-,'\"^?+\\._", c) != NULL));
        is_quoted ^= c == '\'';
        depth += is_quoted ? 0 : c == '(' ? 1 : c == ')' ? -1 : 0;
        CHECK(depth >= 0);
        if (c == '$' && isdigit((unsigned char)sql.data[i + 1])) {
            int number = atoi(sql.data + i + 1);
            CHECK(number >= 1 && number <= value_count);
        }
    }
    CHECK(depth == 0 && !is_quoted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = ARENA_EMPTY;
    struct read read = {.arena = &arena};
    struct metrics_request request;
    struct buf sql = BUF_EMPTY;
    struct error error = {""};
    if (size == 0) {
        return 0;
    }
    char *json = malloc(size);
    memcpy(json, data + 1, size - 1);
    json[size - 1] = '\0';
    enum err err = metrics_parse(json, data[0] % 2 == 0 ? 2 : 1, &arena, &request, &error);
    if (err == ERR_OK) {
        check_request(&request);
        read_bind_text(&read, "project");
        err = metrics_sql(&read, &request, &sql, &error);
    }
    if (err == ERR_OK) {
        buf_append_char(&sql, '\0');
        check_sql((struct slice){sql.data, sql.len - 1}, read.value_count);
    } else {
        struct slice text = slice_from(error.text);
        CHECK((err == ERR_INVALID || err == ERR_TOO_HEAVY) && text.len > 0);
    }
    buf_finish(&sql);
    free(json);
    arena_finish(&arena);
    return 0;
}
