#include "gateway/ingest/otlp_paths.h"

#include <stdlib.h>

#include "common/json_write.h"
#include "gateway/ingest/otlp_any.h"

enum { INDEX_DIGITS_MAX = 6 };

/* Leaves are sorted by path, so that what belongs together stands together: no tree is built, and
 * no array either, whatever its indexes are. */
struct leaf {
    struct slice path;
    struct attribute *attribute;
    uint32_t order; /* in the span: of one path the last counts */
};

struct printing {
    struct leaf *leaves;
    struct buf *out;
    uint32_t gaps_left;
};

/* Cuts the first segment off. */
static struct slice take_segment(struct slice *path, uint32_t depth)
{
    const char *dot = path->len > 0 && depth + 1 < OTLP_PATH_SEGMENTS_MAX
                          ? memchr(path->data, '.', path->len)
                          : NULL;
    struct slice segment = *path;
    if (dot == NULL) {
        *path = (struct slice){NULL, 0};
        return segment;
    }
    segment.len = (size_t)(dot - path->data);
    *path = (struct slice){dot + 1, path->len - segment.len - 1};
    return segment;
}

/* The segment as an index, or -1. */
static int32_t index_of(struct slice segment)
{
    int32_t index = 0;
    if (segment.len == 0 || segment.len > INDEX_DIGITS_MAX ||
        (segment.len > 1 && segment.data[0] == '0')) {
        return -1;
    }
    for (size_t i = 0; i < segment.len; i++) {
        if (segment.data[i] < '0' || segment.data[i] > '9') {
            return -1;
        }
        index = index * 10 + (segment.data[i] - '0');
    }
    return index;
}

/* Indexes first, by number; then names. */
static int compare_segments(struct slice a, struct slice b)
{
    int32_t left = index_of(a);
    int32_t right = index_of(b);
    if (left >= 0 && right >= 0) {
        return left < right ? -1 : left > right;
    }
    if (left >= 0 || right >= 0) {
        return left >= 0 ? -1 : 1;
    }
    return slice_compare(a, b);
}

static int compare_leaves(const void *left, const void *right)
{
    const struct leaf *a = left;
    const struct leaf *b = right;
    struct slice a_path = a->path;
    struct slice b_path = b->path;
    for (uint32_t depth = 0; a_path.len > 0 && b_path.len > 0; depth++) {
        int order = compare_segments(take_segment(&a_path, depth), take_segment(&b_path, depth));
        if (order != 0) {
            return order;
        }
    }
    if (a_path.len != b_path.len) {
        return a_path.len < b_path.len ? -1 : 1;
    }
    return a->order < b->order ? -1 : 1;
}

/* The part of a path from a depth on. */
static struct slice tail(struct slice path, uint32_t depth)
{
    for (uint32_t i = 0; i < depth; i++) {
        take_segment(&path, i);
    }
    return path;
}

/* The end of the run of leaves that share a segment with the first. */
static uint32_t run_end(const struct printing *printing, uint32_t first, uint32_t end,
                        uint32_t depth, struct slice *segment)
{
    struct slice path = tail(printing->leaves[first].path, depth);
    uint32_t next = first + 1;
    *segment = take_segment(&path, depth);
    while (next < end) {
        path = tail(printing->leaves[next].path, depth);
        if (!slice_equals(take_segment(&path, depth), *segment)) {
            break;
        }
        next++;
    }
    return next;
}

/* All segments are indexes, and what is missing between them may still be filled. Indexes come
 * first and in order, so that the last segment tells. */
static bool is_array(struct printing *printing, uint32_t first, uint32_t end, uint32_t depth)
{
    struct slice path = tail(printing->leaves[end - 1].path, depth);
    int32_t last = index_of(take_segment(&path, depth));
    struct slice segment;
    uint32_t present = 0;
    for (uint32_t at = first; at < end; at = run_end(printing, at, end, depth, &segment)) {
        present++;
    }
    if (last < 0 || (uint32_t)last + 1 - present > printing->gaps_left) {
        return false;
    }
    printing->gaps_left -= (uint32_t)last + 1 - present;
    return true;
}

static void print_values(struct printing *printing, uint32_t first, uint32_t end, uint32_t depth);

static void print_array(struct printing *printing, uint32_t first, uint32_t end, uint32_t depth)
{
    struct slice segment;
    int32_t next = 0;
    buf_append_char(printing->out, '[');
    for (uint32_t at = first, behind; at < end; at = behind) {
        behind = run_end(printing, at, end, depth, &segment);
        for (; next < index_of(segment); next++) {
            buf_append_text(printing->out, next > 0 ? ",null" : "null");
        }
        buf_append_text(printing->out, next++ > 0 ? "," : "");
        print_values(printing, at, behind, depth + 1);
    }
    buf_append_char(printing->out, ']');
}

static void print_object(struct printing *printing, uint32_t first, uint32_t end, uint32_t depth)
{
    struct slice segment;
    buf_append_char(printing->out, '{');
    for (uint32_t at = first, behind; at < end; at = behind) {
        behind = run_end(printing, at, end, depth, &segment);
        buf_append_text(printing->out, at > first ? "," : "");
        json_write_string(printing->out, segment);
        buf_append_char(printing->out, ':');
        print_values(printing, at, behind, depth + 1);
    }
    buf_append_char(printing->out, '}');
}

/* Leaves that share a path up to depth. Those that end here come first; one that also has members
 * stays among the attributes. */
static void print_values(struct printing *printing, uint32_t first, uint32_t end, uint32_t depth)
{
    struct leaf *last = &printing->leaves[end - 1];
    if (tail(last->path, depth).len == 0) {
        last->attribute->used = true;
        any_print(&last->attribute->value, printing->out);
        return;
    }
    while (tail(printing->leaves[first].path, depth).len == 0) {
        first++;
    }
    if (is_array(printing, first, end, depth)) {
        print_array(printing, first, end, depth);
    } else {
        print_object(printing, first, end, depth);
    }
}

bool otlp_paths_print(struct attributes *attributes, enum otlp_group group, struct arena *arena,
                      struct buf *out)
{
    uint32_t count = 0;
    struct leaf *leaves = arena_alloc(arena, attributes->count * sizeof(*leaves));
    for (uint32_t i = 0; i < attributes->count; i++) {
        struct attribute *attribute = &attributes->list[i];
        if (attribute->group == group && attribute->value.type != ANY_NULL) {
            leaves[count] = (struct leaf){otlp_group_key(attribute), attribute, count};
            count++;
        }
    }
    if (count == 0) {
        return false;
    }
    qsort(leaves, count, sizeof(*leaves), compare_leaves);
    struct printing printing = {leaves, out, OTLP_PATH_GAPS_MAX};
    print_values(&printing, 0, count, 0);
    return true;
}
