#include "writer/merge.h"

#include <assert.h>
#include <string.h>

#include "writer/number.h"
#include "writer/texts.h"

static const struct row_table *table_of(const struct merged *merged)
{
    return &row_tables[merged->kind];
}

static bool has(const struct merged *merged, uint32_t column)
{
    return (merged->present >> column & 1) != 0;
}

uint32_t merge_metadata_column(enum row_kind kind)
{
    switch (kind) {
    case ROW_TRACE:
        return TRACE_METADATA;
    case ROW_OBSERVATION:
        return OBSERVATION_METADATA;
    case ROW_SCORE:
    case ROW_METRIC:
    case ROW_DELETION:
    case ROW_MODEL:
    case ROW_KIND_COUNT:
        break;
    }
    return SCORE_METADATA;
}

int merge_timestamp_column(enum row_kind kind)
{
    return kind == ROW_TRACE ? (int)TRACE_TIMESTAMP : kind == ROW_SCORE ? (int)SCORE_TIMESTAMP : -1;
}

/* What is no set stays as it is: PostgreSQL will refuse it. */
static void sort_set(struct slice *json, struct arena *arena)
{
    const struct texts none = {NULL, 0};
    struct texts texts;
    if (texts_parse(*json, arena, &texts)) {
        *json = texts_union(&texts, &none, arena);
    }
}

void merge_begin(struct merged *out, const struct row *row, struct slice project,
                 int64_t received_us, struct arena *arena)
{
    uint32_t count = row_tables[row->kind].column_count;
    out->kind = row->kind;
    out->project = project;
    out->event_version = row->version;
    out->present = row->present;
    out->unread = 0;
    out->ties = 0;
    out->metadata = NULL;
    out->created_us = 0;
    out->priced = NULL;
    memcpy(out->values, row->values, count * sizeof(out->values[0]));
    for (uint32_t i = 0; i < count; i++) {
        out->versions[i] = row->version;
        if (has(out, i) && row_tables[row->kind].columns[i].merge == MERGE_UNION) {
            sort_set(&out->values[i].slice, arena);
        }
    }
    int timestamp = merge_timestamp_column(row->kind);
    if (timestamp >= 0 && !has(out, (uint32_t)timestamp)) {
        out->present |= UINT64_C(1) << timestamp;
        out->values[timestamp].integer = received_us;
        out->versions[timestamp] = version_weak(received_us);
        if (out->versions[timestamp] > out->event_version) {
            out->event_version = out->versions[timestamp];
        }
    }
}

const struct metadata *merge_metadata(struct merged *merged, struct arena *arena)
{
    uint32_t column = merge_metadata_column(merged->kind);
    assert(has(merged, column) && (merged->unread >> column & 1) == 0);
    if (merged->metadata == NULL) {
        merged->metadata = metadata_make(json_tree_parse(merged->values[column].slice, arena),
                                         merged->versions[column], arena);
    }
    return merged->metadata;
}

static int compare_texts(struct slice a, struct slice b, struct arena *arena)
{
    struct texts left;
    struct texts right;
    bool good = texts_parse(a, arena, &left);
    return texts_parse(b, arena, &right) && good ? texts_compare(&left, &right)
                                                 : slice_compare(a, b);
}

static int compare_values(enum column_type type, const struct value *a, const struct value *b,
                          struct arena *arena)
{
    switch (type) {
    case COLUMN_TEXT:
    case COLUMN_JSON:
        return slice_compare(a->slice, b->slice);
    case COLUMN_JSONB:
        return json_tree_compare(json_tree_parse(a->slice, arena),
                                 json_tree_parse(b->slice, arena));
    case COLUMN_TEXTS:
        return compare_texts(a->slice, b->slice, arena);
    case COLUMN_DECIMAL:
        return number_compare(a->slice, b->slice);
    case COLUMN_FLOAT:
        return (a->real > b->real) - (a->real < b->real);
    case COLUMN_TIME:
    case COLUMN_INT:
    case COLUMN_BOOL:
        break;
    }
    return (a->integer > b->integer) - (a->integer < b->integer);
}

static bool merge_latest(struct merged *into, const struct merged *from, uint32_t column,
                         struct arena *arena)
{
    uint64_t bit = UINT64_C(1) << column;
    int64_t ours = into->versions[column];
    int64_t theirs = from->versions[column];
    if (theirs < ours) {
        return false;
    }
    if (theirs == ours) {
        if ((into->unread & bit) != 0) {
            into->ties |= bit;
        } else {
            enum column_type type = table_of(into)->columns[column].type;
            if (compare_values(type, &from->values[column], &into->values[column], arena) <= 0) {
                return false;
            }
        }
    }
    into->values[column] = from->values[column];
    into->versions[column] = theirs;
    into->unread &= ~bit;
    return true;
}

static bool merge_trees(struct merged *into, const struct merged *from, uint32_t column,
                        struct arena *arena)
{
    struct merged copy;
    const struct metadata *theirs = from->metadata;
    if (theirs == NULL) {
        copy.kind = from->kind;
        copy.present = from->present;
        copy.unread = 0;
        copy.metadata = NULL;
        copy.values[column] = from->values[column];
        copy.versions[column] = from->versions[column];
        theirs = merge_metadata(&copy, arena);
    }
    const struct metadata *ours = merge_metadata(into, arena);
    const struct metadata *both = metadata_merge(ours, theirs, arena);
    if (metadata_equals(ours, both)) {
        return false;
    }
    into->metadata = both;
    return true;
}

static bool merge_sets(struct merged *into, const struct merged *from, uint32_t column,
                       struct arena *arena)
{
    uint64_t bit = UINT64_C(1) << column;
    struct slice *ours = &into->values[column].slice;
    struct slice theirs = from->values[column].slice;
    if ((into->unread & bit) != 0) {
        *ours = theirs; /* SQL unites it with what is stored */
        into->unread &= ~bit;
        return true;
    }
    struct texts left;
    struct texts right;
    if (!texts_parse(*ours, arena, &left) || !texts_parse(theirs, arena, &right)) {
        bool is_greater = slice_compare(theirs, *ours) > 0;
        *ours = is_greater ? theirs : *ours; /* PostgreSQL will refuse it */
        return is_greater;
    }
    struct slice both = texts_union(&left, &right, arena);
    bool changed = !slice_equals(both, *ours);
    *ours = both;
    return changed;
}

static bool merge_column(struct merged *into, const struct merged *from, uint32_t column,
                         struct arena *arena)
{
    if (!has(into, column)) {
        into->present |= UINT64_C(1) << column;
        into->values[column] = from->values[column];
        into->versions[column] = from->versions[column];
        if (column == merge_metadata_column(into->kind)) {
            into->metadata = from->metadata;
        }
        return true;
    }
    switch (table_of(into)->columns[column].merge) {
    case MERGE_KEY:
        break;
    case MERGE_LATEST:
        return merge_latest(into, from, column, arena);
    case MERGE_METADATA:
        return merge_trees(into, from, column, arena);
    case MERGE_UNION:
        return merge_sets(into, from, column, arena);
    }
    return false;
}

uint64_t merge_add(struct merged *into, const struct merged *from, struct arena *arena)
{
    assert(from->unread == 0);
    uint64_t changed = 0;
    uint32_t count = table_of(into)->column_count;
    for (uint32_t i = table_of(into)->key_count; i < count; i++) {
        if (has(from, i) && merge_column(into, from, i, arena)) {
            changed |= UINT64_C(1) << i;
        }
    }
    if (from->event_version > into->event_version) {
        into->event_version = from->event_version;
    }
    return changed;
}

int merge_compare_keys(const struct merged *a, const struct merged *b)
{
    int order = slice_compare(a->project, b->project);
    for (uint32_t i = 0; i < table_of(a)->key_count && order == 0; i++) {
        order = slice_compare(a->values[i].slice, b->values[i].slice);
    }
    return order;
}

bool merge_is_placeholder(const struct merged *merged)
{
    return merged->event_version < INT64_MIN / 4;
}

/* The version to be kept for the column; false: none, it is as good as event_version. */
static bool kept_version(struct merged *merged, uint32_t column, struct arena *arena, int64_t *out)
{
    enum column_merge merge = table_of(merged)->columns[column].merge;
    if (!has(merged, column) || merge == MERGE_KEY || merge == MERGE_UNION) {
        return false;
    }
    *out = merged->versions[column];
    if (merge == MERGE_METADATA && (merged->unread >> column & 1) == 0 &&
        (merged->metadata != NULL || *out != merged->event_version)) {
        *out = metadata_version(merge_metadata(merged, arena));
    }
    return *out != merged->event_version && *out != METADATA_NO_VERSION;
}

uint32_t merge_pack_versions(struct merged *merged, struct arena *arena, int64_t *out)
{
    uint32_t count = 0;
    for (uint32_t column = 0; column < table_of(merged)->column_count; column++) {
        int64_t version;
        if (!kept_version(merged, column, arena, &version)) {
            continue;
        }
        uint32_t at = 0;
        while (at < count && out[at] > version) {
            at += 2;
        }
        if (at == count || out[at] != version) {
            memmove(out + at + 2, out + at, (count - at) * sizeof(*out));
            out[at] = version;
            out[at + 1] = 0;
            count += 2;
        }
        out[at + 1] |= (int64_t)(UINT64_C(1) << column);
    }
    return count;
}

void merge_unpack_versions(struct merged *merged, const int64_t *pairs, uint32_t count)
{
    uint32_t columns = table_of(merged)->column_count;
    for (uint32_t i = 0; i < columns; i++) {
        merged->versions[i] = merged->event_version;
    }
    for (uint32_t at = 0; at + 1 < count; at += 2) {
        for (uint32_t i = 0; i < columns; i++) {
            if (((uint64_t)pairs[at + 1] >> i & 1) != 0) {
                merged->versions[i] = pairs[at];
            }
        }
    }
}
