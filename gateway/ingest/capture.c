#include "gateway/ingest/capture.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/id.h"
#include "gateway/ingest/labels.h"

struct capture {
    enum capture_mode mode;
    struct redact *redact;
};

/* Traces of which an error was seen: open addressing, by a hash that nobody outside can foresee. */
struct errors {
    struct slice *ids; /* in the arena; NULL data: free */
    size_t size;       /* a power of two, or 0 */
    size_t count;
    uint64_t seed;
    struct arena arena;
};

struct capture_work {
    const struct capture *capture;
    struct redact_work *redact;
    struct arena arena; /* of one row */
    struct errors errors;
};

/* --- what is what -------------------------------------------------------------------------- */

#define BIT(column) (UINT64_C(1) << (column))

/* By these a row is found, or they are words of a fixed set. */
static const uint64_t spared[ROW_KIND_COUNT] = {
    [ROW_TRACE] = BIT(TRACE_ID),
    [ROW_OBSERVATION] = BIT(OBSERVATION_TRACE_ID) | BIT(OBSERVATION_ID) | BIT(OBSERVATION_TYPE) |
                        BIT(OBSERVATION_PARENT_OBSERVATION_ID) | BIT(OBSERVATION_LEVEL) |
                        BIT(OBSERVATION_USAGE_DETAILS) | BIT(OBSERVATION_COST_DETAILS),
    [ROW_SCORE] = BIT(SCORE_ID) | BIT(SCORE_TRACE_ID) | BIT(SCORE_OBSERVATION_ID) |
                  BIT(SCORE_DATASET_RUN_ID) | BIT(SCORE_CONFIG_ID) | BIT(SCORE_QUEUE_ID) |
                  BIT(SCORE_DATA_TYPE) | BIT(SCORE_SOURCE),
    [ROW_DELETION] = BIT(DELETION_ID) | BIT(DELETION_TARGET),
    [ROW_MODEL] = UINT64_MAX, /* nobody's data */
};

static const uint64_t payloads[ROW_KIND_COUNT] = {
    [ROW_TRACE] = BIT(TRACE_INPUT) | BIT(TRACE_OUTPUT),
    [ROW_OBSERVATION] = BIT(OBSERVATION_INPUT) | BIT(OBSERVATION_OUTPUT),
};

/* --- the rules ----------------------------------------------------------------------------- */

enum err capture_create(struct capture **out, enum capture_mode mode, const char *keys,
                        const char *patterns, struct error *error)
{
    struct redact_options options = {
        .built_in = mode == CAPTURE_MASKED, .keys = keys, .patterns = patterns};
    struct redact *redact;
    enum err err = redact_create(&redact, &options, error);
    *out = NULL;
    if (err != ERR_OK) {
        return err;
    }
    if (mode == CAPTURE_FULL && redact_is_empty(redact)) {
        redact_destroy(redact);
        return ERR_OK;
    }
    *out = memory_alloc(sizeof(**out));
    **out = (struct capture){mode, redact};
    return ERR_OK;
}

void capture_destroy(struct capture *capture)
{
    if (capture != NULL) {
        redact_destroy(capture->redact);
        free(capture);
    }
}

struct capture_work *capture_begin(const struct capture *capture)
{
    if (capture == NULL) {
        return NULL;
    }
    uint8_t random[ID_SIZE];
    struct capture_work *work = memory_zalloc(sizeof(*work));
    work->capture = capture;
    work->redact = redact_begin(capture->redact);
    id_random(random);
    memcpy(&work->errors.seed, random, sizeof(work->errors.seed));
    return work;
}

void capture_end(struct capture_work *work)
{
    if (work != NULL) {
        redact_end(work->redact);
        arena_finish(&work->arena);
        arena_finish(&work->errors.arena);
        free(work->errors.ids);
        free(work);
    }
}

/* --- traces with errors -------------------------------------------------------------------- */

static struct slice *find_place(const struct errors *errors, struct slice id)
{
    uint64_t hash = errors->seed;
    for (size_t i = 0; i < id.len; i++) {
        hash = (hash ^ (uint8_t)id.data[i]) * UINT64_C(0x100000001b3);
    }
    hash ^= hash >> 29;
    size_t at = hash & (errors->size - 1);
    while (errors->ids[at].data != NULL && !slice_equals(errors->ids[at], id)) {
        at = (at + 1) & (errors->size - 1);
    }
    return &errors->ids[at];
}

static void grow(struct errors *errors)
{
    struct slice *old = errors->ids;
    size_t old_size = errors->size;
    errors->size = old_size == 0 ? 16 : 2 * old_size;
    errors->ids = memory_zalloc(errors->size * sizeof(*errors->ids));
    for (size_t i = 0; i < old_size; i++) {
        if (old[i].data != NULL) {
            *find_place(errors, old[i]) = old[i];
        }
    }
    free(old);
}

static void note_error(struct errors *errors, struct slice trace_id)
{
    if (2 * errors->count >= errors->size) {
        grow(errors);
    }
    struct slice *place = find_place(errors, trace_id);
    if (place->data == NULL) {
        *place = arena_copy(&errors->arena, trace_id);
        errors->count++;
    }
}

static bool has_error(const struct errors *errors, struct slice trace_id)
{
    return errors->size > 0 && find_place(errors, trace_id)->data != NULL;
}

/* --- rows ---------------------------------------------------------------------------------- */

static bool is_error(const struct row *row)
{
    static const char word[] = "ERROR";
    if (row->kind != ROW_OBSERVATION || !row_has(row, OBSERVATION_LEVEL)) {
        return false;
    }
    struct slice level = row->values[OBSERVATION_LEVEL].slice;
    return level.len == sizeof(word) - 1 && strncasecmp(level.data, word, level.len) == 0;
}

static bool keeps_content(struct capture_work *work, const struct row *row)
{
    if (work->capture->mode == CAPTURE_METADATA_ONLY) {
        return false;
    }
    if (work->capture->mode != CAPTURE_ERROR_ONLY) {
        return true;
    }
    if (is_error(row)) {
        note_error(&work->errors, row->values[OBSERVATION_TRACE_ID].slice);
        return true;
    }
    return row->kind == ROW_TRACE && has_error(&work->errors, row->values[TRACE_ID].slice);
}

/* Texts that validate does not bound. */
static const uint64_t unbounded[ROW_KIND_COUNT] = {
    [ROW_OBSERVATION] = BIT(OBSERVATION_STATUS_MESSAGE),
    [ROW_SCORE] = BIT(SCORE_STRING_VALUE) | BIT(SCORE_COMMENT),
};

/* What validate bounds stays within its bound. */
static size_t max_length(const struct row *row, uint32_t column)
{
    size_t len = row->values[column].slice.len;
    switch (row_tables[row->kind].columns[column].type) {
    case COLUMN_TEXT:
        return (unbounded[row->kind] & BIT(column)) != 0 ? SIZE_MAX
               : len > ROW_ID_MAX                        ? ROW_NAME_MAX
                                                         : ROW_ID_MAX;
    case COLUMN_TEXTS:
        return ROW_ID_MAX;
    default:
        return row->kind == ROW_METRIC ? ROW_LABEL_VALUE_MAX : SIZE_MAX;
    }
}

/* Labels whose names changed may be in another order, or twice. Such as are beyond their limits now are
 * one that says so. */
static struct slice canonical_labels(struct capture_work *work, struct slice labels)
{
    struct labels_fault fault;
    struct buf out = BUF_EMPTY;
    bool good = labels_canonical(labels, &work->arena, &out, &fault);
    labels = good ? arena_copy(&work->arena, buf_slice(&out))
                  : SLICE_LITERAL("{\"" REDACT_MARK "\":\"" REDACT_MARK "\"}");
    buf_finish(&out);
    return labels;
}

static void clean_value(struct capture_work *work, const struct row *row, uint32_t column,
                        bool content, struct value *value)
{
    /* Labels say where a value comes from, whatever they are called. */
    unsigned flags =
        content || row->kind == ROW_METRIC ? REDACT_NAMES : REDACT_NAMES | REDACT_CONTENT;
    switch (row_tables[row->kind].columns[column].type) {
    case COLUMN_TEXT:
        value->slice =
            redact_text(work->redact, value->slice, max_length(row, column), &work->arena);
        break;
    case COLUMN_TEXTS:
    case COLUMN_JSON:
    case COLUMN_JSONB:
        value->slice =
            redact_json(work->redact, value->slice, flags, max_length(row, column), &work->arena);
        if (row->kind == ROW_METRIC && value->slice.data != row->values[column].slice.data) {
            value->slice = canonical_labels(work, value->slice);
        }
        break;
    case COLUMN_TIME:
    case COLUMN_INT:
    case COLUMN_FLOAT:
    case COLUMN_DECIMAL:
    case COLUMN_BOOL:
        break;
    }
}

void capture_row(struct capture_work *work, const struct row *row, struct row *out)
{
    bool content = keeps_content(work, row);
    arena_reset(&work->arena);
    out->kind = row->kind;
    out->version = row->version;
    out->present = row->present & ~(content ? 0 : payloads[row->kind]);
    for (uint64_t left = out->present; left != 0; left &= left - 1) {
        uint32_t column = (uint32_t)__builtin_ctzll(left);
        out->values[column] = row->values[column];
        if ((spared[row->kind] & BIT(column)) == 0) {
            clean_value(work, row, column, content, &out->values[column]);
        }
    }
}
