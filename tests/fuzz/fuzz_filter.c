/* The `filter` parameter. Whatever it says: the SQL has none of its bytes, refers to values that are bound,
 * and these are texts that PostgreSQL takes; what is refused is told in words. */
#include <ctype.h>
#include <string.h>

#include "common/utf8.h"
#include "gateway/read/filter.h"
#include "gateway/read/read.h"
#include "tests/fuzz/check.h"

/* No input can make a number sign, so that each in the SQL is a column's. */
static const struct filter_column columns[] = {
    {"a", FILTER_TEXT, "#"},       {"b", FILTER_NUMBER, "#"}, {"c", FILTER_TIME, "#"},
    {"d", FILTER_BOOL, "#"},       {"e", FILTER_TEXTS, "#"},  {"f", FILTER_OBJECT, "#"},
    {"g", FILTER_SHORT_TEXT, "#"},
};

enum { COLUMN_COUNT = sizeof columns / sizeof *columns };

/* What our pieces of SQL are made of. */
static void check_sql(struct slice sql, int value_count)
{
    for (size_t i = 0; i < sql.len; i++) {
        unsigned char c = (unsigned char)sql.data[i];
        CHECK(isalnum(c) || (c != '\0' && strchr(" #$():[]<>=&@-,'^?+~\\._", c) != NULL));
        if (c == '$' && isdigit((unsigned char)sql.data[i + 1])) {
            int number = atoi(sql.data + i + 1);
            CHECK(number >= 1 && number <= value_count);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = ARENA_EMPTY;
    struct read read = {.arena = &arena};
    struct buf sql = BUF_EMPTY;
    struct error error = {""};
    uint64_t mask;
    char *json = malloc(size + 1);
    memcpy(json, data, size);
    json[size] = '\0';
    enum err err = filter_append(&read, json, columns, COLUMN_COUNT, &sql, &mask, &error);
    buf_append_char(&sql, '\0');
    CHECK(mask < UINT64_C(1) << COLUMN_COUNT);
    if (err == ERR_OK) {
        check_sql((struct slice){sql.data, sql.len - 1}, read.value_count);
        CHECK(read.value_count <= 2 * FILTER_CONDITIONS_MAX);
        for (int i = 0; i < read.value_count; i++) {
            struct slice value = slice_from(read.values[i]);
            CHECK(utf8_valid_prefix(value) == value.len);
        }
    } else {
        CHECK(err == ERR_INVALID && error.text[0] != '\0');
    }
    buf_finish(&sql);
    free(json);
    arena_finish(&arena);
    return 0;
}
