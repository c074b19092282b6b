#include "common/redact.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/json_read.h"
#include "common/json_write.h"
#include "common/redact_loose.h"
#include "common/redact_rules.h"

struct redact_work {
    const struct redact *redact;
    struct redact_matcher *matcher;
};

struct redact_work *redact_begin(const struct redact *redact)
{
    struct redact_work *work = memory_alloc(sizeof(*work));
    *work = (struct redact_work){redact, redact_matcher_create(redact)};
    return work;
}

void redact_end(struct redact_work *work)
{
    redact_matcher_destroy(work->matcher);
    free(work);
}

/* What patterns match goes, no more. */
static struct slice match_text(struct redact_work *work, struct slice text, size_t max_len,
                               struct arena *arena)
{
    struct slice out = redact_matcher_replace(work->matcher, text, arena);
    return out.data != text.data && out.len > max_len ? SLICE_LITERAL(REDACT_MARK) : out;
}

/* --- JSON ---------------------------------------------------------------------------------- */

/* What does not change is copied from the text in as few pieces as there are changes. */
struct rewrite {
    struct redact_work *work;
    unsigned flags;
    size_t max_len;
    int embedded; /* strings that the text is inside of */
    struct arena *arena;
    const char *text;
    const char *copied; /* up to here the text is in out */
    struct buf out;
    struct json_reader reader;
};

static void pass_value(struct rewrite *rewrite);

static void replace(struct rewrite *rewrite, struct slice raw, struct slice string)
{
    buf_append(&rewrite->out, rewrite->copied, (size_t)(raw.data - rewrite->copied));
    json_write_string(&rewrite->out, string);
    rewrite->copied = raw.data + raw.len;
}

static struct slice rewrite_json(struct redact_work *work, struct slice json, unsigned flags,
                                 size_t max_len, int embedded, struct arena *arena, bool *valid)
{
    struct rewrite rewrite = {
        .work = work,
        .flags = flags,
        .max_len = max_len,
        .embedded = embedded,
        .arena = arena,
        .text = json.data,
        .copied = json.data,
    };
    json_reader_init(&rewrite.reader, (char *)json.data, json.len, JSON_DEPTH_MAX, arena);
    pass_value(&rewrite);
    *valid = json_end(&rewrite.reader, NULL) == ERR_OK;
    if (rewrite.out.len > 0) {
        buf_append(&rewrite.out, rewrite.copied, (size_t)(json.data + json.len - rewrite.copied));
        json = arena_copy(arena, buf_slice(&rewrite.out));
    }
    buf_finish(&rewrite.out);
    return json;
}

static bool looks_like_json(struct slice text)
{
    size_t i = 0;
    while (i < text.len && memchr(" \t\r\n", text.data[i], 4) != NULL) {
        i++;
    }
    return i < text.len && memchr("{[\"", text.data[i], 3) != NULL;
}

static bool is_secret(const void *closure, struct slice key)
{
    const struct rewrite *rewrite = closure;
    const struct redact *redact = rewrite->work->redact;
    return redact_has_key(redact, key) ||
           ((rewrite->flags & REDACT_CONTENT) != 0 && redact_is_content(key));
}

/* Deeper than anybody looks, JSON goes whole. */
static struct slice clean_deepest(const struct rewrite *rewrite, struct slice copy, bool *valid)
{
    struct json_reader reader;
    json_reader_init(&reader, (char *)copy.data, copy.len, JSON_DEPTH_MAX, rewrite->arena);
    json_skip(&reader, NULL);
    *valid = json_end(&reader, NULL) == ERR_OK;
    return SLICE_LITERAL(REDACT_MARK);
}

/* A text that may hold JSON, without the values of secret keys. */
static struct slice clean_keys(const struct rewrite *rewrite, struct slice text)
{
    if (looks_like_json(text)) {
        /* A copy: the reader may write to what it reads, and this may be no JSON at all. */
        bool valid;
        struct slice copy = arena_copy(rewrite->arena, text);
        struct slice inside = rewrite->embedded < REDACT_EMBEDDED_MAX
                                  ? rewrite_json(rewrite->work, copy, rewrite->flags, SIZE_MAX,
                                                 rewrite->embedded + 1, rewrite->arena, &valid)
                                  : clean_deepest(rewrite, copy, &valid);
        if (valid) {
            return inside.data != copy.data ? inside : text;
        }
    }
    return redact_loose(text, is_secret, rewrite, rewrite->arena);
}

/* A string's text, without its secrets. */
static struct slice clean_string(const struct rewrite *rewrite, struct slice text)
{
    struct slice clean =
        match_text(rewrite->work, clean_keys(rewrite, text), rewrite->max_len, rewrite->arena);
    return clean.data != text.data && clean.len > rewrite->max_len ? SLICE_LITERAL(REDACT_MARK)
                                                                   : clean;
}

static void pass_string(struct rewrite *rewrite)
{
    struct slice raw;
    struct slice text;
    struct json_reader before = rewrite->reader;
    if (!json_skip(&rewrite->reader, &raw) || !json_string(&before, &text)) {
        return;
    }
    struct slice clean = clean_string(rewrite, text);
    if (clean.data != text.data) {
        replace(rewrite, raw, clean);
    }
}

static void pass_number(struct rewrite *rewrite)
{
    struct slice raw;
    if (json_skip(&rewrite->reader, &raw) &&
        redact_matcher_replace(rewrite->work->matcher, raw, rewrite->arena).data != raw.data) {
        replace(rewrite, raw, SLICE_LITERAL(REDACT_MARK));
    }
}

/* The reader has passed the key and stands before its value; from: where it stood before the key. */
static struct slice raw_key(struct rewrite *rewrite, size_t from)
{
    const char *end = rewrite->text + json_offset(&rewrite->reader);
    const char *begin = memchr(rewrite->text + from, '"', (size_t)(end - rewrite->text) - from);
    while (end[-1] != '"') {
        end--;
    }
    return (struct slice){begin, (size_t)(end - begin)};
}

static void pass_member(struct rewrite *rewrite, struct slice key, size_t from)
{
    struct slice raw;
    struct slice clean = (rewrite->flags & REDACT_NAMES) != 0
                             ? match_text(rewrite->work, key, rewrite->max_len, rewrite->arena)
                             : key;
    if (clean.data != key.data) {
        replace(rewrite, raw_key(rewrite, from), clean);
    }
    if (json_peek(&rewrite->reader) == JSON_NULL || !is_secret(rewrite, key)) {
        pass_value(rewrite);
    } else if (json_skip(&rewrite->reader, &raw)) {
        replace(rewrite, raw, SLICE_LITERAL(REDACT_MARK));
    }
}

static void pass_object(struct rewrite *rewrite)
{
    struct slice key;
    json_object_begin(&rewrite->reader);
    size_t from = json_offset(&rewrite->reader);
    while (json_object_next(&rewrite->reader, &key)) {
        pass_member(rewrite, key, from);
        from = json_offset(&rewrite->reader);
    }
}

/* As deep as the reader allows, JSON_DEPTH_MAX. */
static void pass_value(struct rewrite *rewrite)
{
    switch (json_peek(&rewrite->reader)) {
    case JSON_OBJECT:
        pass_object(rewrite);
        break;
    case JSON_ARRAY:
        json_array_begin(&rewrite->reader);
        while (json_array_next(&rewrite->reader)) {
            pass_value(rewrite);
        }
        break;
    case JSON_STRING:
        pass_string(rewrite);
        break;
    case JSON_NUMBER:
        pass_number(rewrite);
        break;
    case JSON_NONE:
    case JSON_NULL:
    case JSON_BOOL:
        json_skip(&rewrite->reader, NULL);
        break;
    }
}

struct slice redact_json(struct redact_work *work, struct slice json, unsigned flags,
                         size_t max_len, struct arena *arena)
{
    bool valid;
    struct slice out = rewrite_json(work, json, flags, max_len, 0, arena, &valid);
    return valid ? out : SLICE_LITERAL("\"" REDACT_MARK "\"");
}

struct slice redact_text(struct redact_work *work, struct slice text, size_t max_len,
                         struct arena *arena)
{
    struct rewrite rewrite = {.work = work, .max_len = max_len, .arena = arena};
    return clean_string(&rewrite, text);
}
