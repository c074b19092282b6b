/*
 * read: the read line: parameters -> the resource's SQL -> database -> stream. On the loop only.
 */
#include "gateway/read/read.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "common/id.h"
#include "common/rfc3339.h"
#include "gateway/reply.h"

static struct read *create(struct request *request)
{
    struct read *read = arena_zalloc(&request->arena, sizeof *read);

    read->request = request;
    read->arena = &request->arena;
    return read;
}

static void run(struct read *read, const struct stream_format *format)
{
    stream_run(read->request, read->sql, read->sql_is_made, read->value_count, read->values, format,
               read);
}

void read_run(struct request *request, const struct read_resource *resource)
{
    struct read *read = create(request);
    void *params = arena_zalloc(&request->arena, resource->params_size);
    struct error error;
    enum err err =
        params_read(resource->params, request_query(request), &request->arena, params, &error);

    if (err == ERR_OK) {
        err = resource->bind(read, params, &error);
    }
    if (err != ERR_OK) {
        reply_error(request, err, &error);
        return;
    }
    run(read, resource->format);
}

void read_run_static(struct request *request, const char *sql, enum read_path path,
                     const struct stream_format *format)
{
    static const struct param none[] = {{NULL, PARAM_TEXT, 0}};
    struct read *read = create(request);
    struct error error;
    enum err err = params_read(none, request_query(request), &request->arena, NULL, &error);

    if (err != ERR_OK) {
        reply_error(request, err, &error);
        return;
    }
    read->sql = sql;
    read_bind_text(read, request->identity.project);
    if (path == READ_PATH_TEXT) {
        read_bind_text(read, arena_text(read->arena, request->params[0]));
    } else if (path == READ_PATH_UUID) {
        read_bind_path_id(read);
    }
    run(read, format);
}

/* --- the answer as a page ------------------------------------------------------------------ */

static const char page_opening[] = "{\"data\":[";

static void on_page_row(void *context, struct buf *out, const PGresult *row)
{
    struct read *read = context;

    if (!PQgetisnull(row, 0, 0)) {
        read->_total = strtoll(PQgetvalue(row, 0, 0), NULL, 10);
    }
    if (!PQgetisnull(row, 0, 1)) {
        buf_append_text(out, read->_rows == 0 ? page_opening : ",");
        buf_append(out, PQgetvalue(row, 0, 1), (size_t)PQgetlength(row, 0, 1));
        read->_rows++;
    }
}

static enum err on_page_end(void *context, struct buf *out, struct error *error)
{
    struct read *read = context;
    int64_t pages = read->_total / read->limit + (read->_total % read->limit != 0);

    if (read->_rows == 0) {
        buf_append_text(out, page_opening);
    }
    buf_printf(out,
               "],\"meta\":{\"page\":%" PRId64 ",\"limit\":%" PRId64 ",\"totalItems\":%" PRId64
               ",\"totalPages\":%" PRId64 "}}",
               read->page, read->limit, read->_total, pages);
    return ERR_OK;
}

const struct stream_format read_page_format = {on_page_row, on_page_end};

/* --- the answer as a list ------------------------------------------------------------------ */

static void on_list_row(void *context, struct buf *out, const PGresult *row)
{
    struct read *read = context;

    if (!PQgetisnull(row, 0, 0)) {
        buf_append_text(out, read->_rows == 0 ? page_opening : ",");
        buf_append(out, PQgetvalue(row, 0, 0), (size_t)PQgetlength(row, 0, 0));
        read->_rows++;
    }
    if (!PQgetisnull(row, 0, 1)) {
        buf_append_text(out, read->_rows == 0 ? page_opening : "");
        buf_append_text(out, "],\"meta\":");
        buf_append(out, PQgetvalue(row, 0, 1), (size_t)PQgetlength(row, 0, 1));
        read->_has_meta = true;
    }
}

static enum err on_list_end(void *context, struct buf *out, struct error *error)
{
    struct read *read = context;

    if (!read->_has_meta) {
        buf_append_text(out, read->_rows == 0 ? page_opening : "");
        buf_append_char(out, ']');
    }
    buf_append_char(out, '}');
    return ERR_OK;
}

const struct stream_format read_list_format = {on_list_row, on_list_end};

/* --- an object and its parts --------------------------------------------------------------- */

static void on_nested_row(void *context, struct buf *out, const PGresult *row)
{
    struct read *read = context;

    if (!PQgetisnull(row, 0, 0)) {
        /* The object, left open for its parts. */
        buf_append(out, PQgetvalue(row, 0, 0), (size_t)PQgetlength(row, 0, 0) - 1);
        buf_printf(out, ",\"%s\":[", PQfname(row, 1));
    } else {
        if (read->_rows > 1) {
            buf_append_char(out, ',');
        }
        buf_append(out, PQgetvalue(row, 0, 1), (size_t)PQgetlength(row, 0, 1));
    }
    read->_rows++;
}

static enum err on_nested_end(void *context, struct buf *out, struct error *error)
{
    const struct read *read = context;

    if (read->_rows == 0) {
        return error_set(error, ERR_NOT_FOUND, "Not Found");
    }
    buf_append_text(out, "]}");
    return ERR_OK;
}

const struct stream_format read_nested_format = {on_nested_row, on_nested_end};

/* --- an object ----------------------------------------------------------------------------- */

static void on_object_row(void *context, struct buf *out, const PGresult *row)
{
    struct read *read = context;

    buf_append(out, PQgetvalue(row, 0, 0), (size_t)PQgetlength(row, 0, 0));
    read->_rows++;
}

static enum err on_object_end(void *context, struct buf *out, struct error *error)
{
    const struct read *read = context;

    return read->_rows > 0 ? ERR_OK : error_set(error, ERR_NOT_FOUND, "Not Found");
}

const struct stream_format read_object_format = {on_object_row, on_object_end};

/* --- a statement of this request alone ------------------------------------------------------ */

void read_make_sql(struct read *read, struct slice text)
{
    read->sql = arena_text(read->arena, text);
    read->sql_is_made = true;
}

void read_fill(struct read *read, const char *mark, struct slice text)
{
    struct buf made = BUF_EMPTY;
    const char *at = read->sql, *found;

    while ((found = strstr(at, mark)) != NULL) {
        buf_append(&made, at, (size_t)(found - at));
        buf_append_slice(&made, text);
        at = found + strlen(mark);
    }
    buf_append_text(&made, at);
    read_make_sql(read, buf_slice(&made));
    buf_finish(&made);
}

void read_make_filtered(struct read *read, const char *sql, struct slice conditions)
{
    read->sql = sql;
    read_fill(read, READ_SQL_FILTER, conditions);
}

/* --- values of a statement ----------------------------------------------------------------- */

void read_bind_text(struct read *read, const char *text)
{
    assert(read->value_count < READ_VALUES_MAX);
    read->values[read->value_count++] = text;
}

void read_bind_integer(struct read *read, int64_t value)
{
    char text[24];
    int len = snprintf(text, sizeof text, "%" PRId64, value);

    read_bind_text(read, arena_text(read->arena, (struct slice){text, (size_t)len}));
}

void read_bind_bool(struct read *read, bool value)
{
    read_bind_text(read, value ? "t" : "f");
}

void read_bind_time(struct read *read, struct param_time time)
{
    char text[RFC3339_SIZE];

    if (!time.given) {
        read_bind_text(read, NULL);
        return;
    }
    size_t len = rfc3339_format(time.us, text);
    read_bind_text(read, arena_text(read->arena, (struct slice){text, len}));
}

void read_bind_number(struct read *read, struct param_number number)
{
    char text[32];

    if (!number.given) {
        read_bind_text(read, NULL);
        return;
    }
    int len = snprintf(text, sizeof text, "%.17g", number.value);
    read_bind_text(read, arena_text(read->arena, (struct slice){text, (size_t)len}));
}

/* {"a","b"}: PostgreSQL's array literal, every element quoted. */
void read_bind_texts(struct read *read, const char *const *texts, size_t count)
{
    size_t size = 3;

    if (count == 0) {
        read_bind_text(read, NULL);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        size += 2 * strlen(texts[i]) + 3;
    }
    char *literal = arena_alloc(read->arena, size);
    char *at = literal;
    for (size_t i = 0; i < count; i++) {
        *at++ = i == 0 ? '{' : ',';
        *at++ = '"';
        for (const char *c = texts[i]; *c != '\0'; c++) {
            if (*c == '"' || *c == '\\') {
                *at++ = '\\';
            }
            *at++ = *c;
        }
        *at++ = '"';
    }
    *at++ = '}';
    *at = '\0';
    read_bind_text(read, literal);
}

void read_bind_any_of(struct read *read, const struct param_texts *texts)
{
    if (texts->parts == texts->values) {
        read_bind_texts(read, texts->values, texts->count);
        return;
    }
    size_t count = texts->part_count + texts->count;
    const char **all = arena_alloc(read->arena, count * sizeof(*all));
    memcpy(all, texts->parts, texts->part_count * sizeof(*all));
    memcpy(all + texts->part_count, texts->values, texts->count * sizeof(*all));
    read_bind_texts(read, all, count);
}

void read_unbind(struct read *read, int number)
{
    assert(number >= 1 && number <= read->value_count);
    read->values[number - 1] = NULL;
}

/* The id and, if it is a UUID, both spellings of that; returns how many. */
static size_t spell(struct read *read, struct slice id, const char *spellings[3])
{
    char hyphenated[UUID_TEXT_SIZE + 1], bare[HEX_TEXT_SIZE + 1];
    size_t len = 0;

    spellings[0] = arena_text(read->arena, id);
    if (!uuid_normalise(id, hyphenated)) {
        return 1;
    }
    for (const char *c = hyphenated; *c != '\0'; c++) {
        if (*c != '-') {
            bare[len++] = *c;
        }
    }
    bare[len] = '\0';
    spellings[1] = arena_text(read->arena, slice_from(hyphenated));
    spellings[2] = arena_text(read->arena, slice_from(bare));
    return 3;
}

void read_bind_id(struct read *read, struct slice id)
{
    const char *spellings[3];
    size_t count = spell(read, id, spellings);

    read_bind_texts(read, spellings, count);
}

void read_bind_any_id(struct read *read, const struct param_texts *texts)
{
    size_t count = 0, values = texts->parts == texts->values ? 0 : texts->count;
    const char **all =
        arena_alloc(read->arena, 3 * (texts->part_count + values) * sizeof(*all) + 1);

    for (size_t i = 0; i < texts->part_count; i++) {
        count += spell(read, slice_from(texts->parts[i]), all + count);
    }
    for (size_t i = 0; i < values; i++) {
        count += spell(read, slice_from(texts->values[i]), all + count);
    }
    read_bind_texts(read, all, count);
}

void read_bind_path_id(struct read *read)
{
    const char *spellings[3] = {NULL, NULL, NULL};

    spell(read, read->request->params[0], spellings);
    for (int i = 0; i < 3; i++) {
        read_bind_text(read, spellings[i]);
    }
}

void read_bind_offset(struct read *read)
{
    int64_t offset;

    if (__builtin_mul_overflow(read->page - 1, read->limit, &offset)) {
        offset = INT64_MAX;
    }
    read_bind_integer(read, offset);
}
