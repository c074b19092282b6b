/*
 * The JSON reader: skipping a document and pulling it apart come to the same verdict and the same
 * text; a text that was taken is taken again and changes no more; strings come out as valid UTF-8
 * without NUL. A lenient reader refuses what is no JSON, and only that; it tells of a bound that is
 * broken, and only then.
 */
#include "common/json_read.h"
#include "common/utf8.h"
#include "tests/fuzz/check.h"

enum { DEPTH = 64 };

static void check_text(struct slice text)
{
    CHECK(utf8_valid_prefix(text) == text.len);
    CHECK(text.len == 0 || memchr(text.data, '\0', text.len) == NULL);
}

static void walk_number(struct json_reader *reader)
{
    struct slice text;
    int64_t integer;
    double real;
    if (json_number(reader, &text)) {
        (void)json_number_int64(text, &integer);
        if (json_number_double(text, &real)) {
            CHECK(real == real);
        }
    }
}

/* The depth bound of the reader bounds this one. */
static void walk(struct json_reader *reader)
{
    struct slice text;
    bool flag;
    if (json_object_begin(reader)) {
        while (json_object_next(reader, &text)) {
            check_text(text);
            walk(reader);
        }
    } else if (json_array_begin(reader)) {
        while (json_array_next(reader)) {
            walk(reader);
        }
    } else if (json_string(reader, &text)) {
        check_text(text);
    } else if (!json_bool(reader, &flag) && !json_null(reader)) {
        walk_number(reader);
    }
}

static enum err read_all(char *text, size_t len, void (*pass)(struct json_reader *reader),
                         struct error *error)
{
    struct arena arena = ARENA_EMPTY;
    struct json_reader reader;
    json_reader_init(&reader, text, len, DEPTH, &arena);
    pass(&reader);
    enum err err = json_end(&reader, error);
    arena_finish(&arena);
    return err;
}

static void skip(struct json_reader *reader)
{
    struct slice raw;
    if (json_skip(reader, &raw)) {
        CHECK(raw.len > 0 && raw.data >= reader->_begin && raw.data + raw.len <= reader->_end);
    }
}

static bool names_a_bound(const struct error *error)
{
    static const char *const bounds[] = {"nested too deeply", "number too long",
                                         "exponent out of range"};
    bool found = false;
    for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
        found |= strstr(error->text, bounds[i]) != NULL;
    }
    return found;
}

/* text has been read by a reader that came to err. */
static void check_lenient(char *text, size_t len, enum err err, const struct error *error)
{
    struct arena arena = ARENA_EMPTY;
    struct json_reader reader;
    struct slice raw;
    json_reader_init(&reader, text, len, DEPTH, &arena);
    json_be_lenient(&reader);
    json_skip(&reader, &raw);
    const char *unfit = json_take_unfit(&reader);
    CHECK(json_take_unfit(&reader) == NULL);
    if (json_end(&reader, NULL) == ERR_OK) {
        CHECK((unfit == NULL) == (err == ERR_OK));
        CHECK(err == ERR_OK || names_a_bound(error));
    } else {
        CHECK(err != ERR_OK);
    }
    arena_finish(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *skipped = memory_alloc(size);
    char *walked = memory_alloc(size);
    char *again = memory_alloc(size);
    memcpy(skipped, data, size);
    memcpy(walked, data, size);
    struct error error;
    enum err err = read_all(skipped, size, skip, &error);
    CHECK(read_all(walked, size, walk, NULL) == err);
    if (err == ERR_OK) {
        CHECK(memcmp(skipped, walked, size) == 0);
        memcpy(again, skipped, size);
        CHECK(read_all(again, size, skip, NULL) == ERR_OK);
        CHECK(memcmp(again, skipped, size) == 0);
    }
    check_lenient(skipped, size, err, &error);
    free(skipped);
    free(walked);
    free(again);
    return 0;
}
