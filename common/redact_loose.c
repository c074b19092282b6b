#include "common/redact_loose.h"

#include <stdlib.h>

#include "common/buf.h"
#include "common/redact.h"

/* Of keys that are longer nobody asks; the bound keeps looking back cheap. */
enum { KEY_MAX = 256 };

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* How a text is quoted: the backslashes before its mark, and the mark. */
struct quote {
    size_t backslashes;
    char mark;
};

static size_t backslashes_before(const char *begin, const char *at)
{
    size_t count = 0;
    while (at > begin && at[-1] == '\\') {
        at--;
        count++;
    }
    return count;
}

/* The key that ends before the colon, looking back no further than begin. */
static bool find_key(const char *begin, const char *colon, struct slice *key, struct quote *quote)
{
    const char *end = colon;
    while (end > begin && is_blank(end[-1])) {
        end--;
    }
    if (end == begin || (end[-1] != '"' && end[-1] != '\'')) {
        return false;
    }
    end--;
    *quote = (struct quote){backslashes_before(begin, end), *end};
    const char *limit = end - begin > KEY_MAX ? end - KEY_MAX : begin;
    const char *open = memrchr(limit, quote->mark, (size_t)(end - limit));
    if (open == NULL || (size_t)(end - open - 1) < quote->backslashes) {
        return false;
    }
    *key = (struct slice){open + 1, (size_t)(end - open - 1) - quote->backslashes};
    return true;
}

/* The key as it reads: without backslashes, and letters for \\uXXXX. */
static struct slice plain_key(struct slice key, char plain[KEY_MAX])
{
    size_t len = 0;
    for (size_t i = 0; i < key.len; i++) {
        char digits[5] = "";
        char *digits_end = digits;
        unsigned long code = 0;
        if (key.data[i] == '\\') {
            continue;
        }
        if (i > 0 && key.data[i - 1] == '\\' && key.data[i] == 'u' && key.len - i > 4) {
            memcpy(digits, key.data + i + 1, 4);
            code = strtoul(digits, &digits_end, 16);
        }
        bool is_letter = digits_end == digits + 4 && code < 0x80;
        plain[len++] = is_letter ? (char)code : key.data[i];
        i += is_letter ? 4 : 0;
    }
    return (struct slice){plain, len};
}

/* Behind the mark that closes what quote opened before at; marks of deeper levels have more
 * backslashes. */
static const char *string_end(const char *at, const char *end, struct quote quote)
{
    for (const char *begin = at; at < end; at++) {
        if (*at == quote.mark && backslashes_before(begin, at) <= quote.backslashes) {
            return at + 1;
        }
    }
    return end;
}

/* At an opening bracket; strings inside are passed whole. */
static const char *bracket_end(const char *at, const char *end)
{
    const char *begin = at;
    size_t depth = 0;
    while (at < end) {
        char c = *at++;
        if (c == '{' || c == '[') {
            depth++;
        } else if ((c == '}' || c == ']') && --depth == 0) {
            return at;
        } else if (c == '"' || c == '\'') {
            at = string_end(at, end, (struct quote){backslashes_before(begin, at - 1), c});
        }
    }
    return end;
}

static const char *word_end(const char *at, const char *end)
{
    while (at < end && memchr(",}])\r\n", *at, 6) == NULL) {
        at++;
    }
    return at;
}

static const char *value_end(const char *at, const char *end)
{
    size_t backslashes = 0;
    while (at + backslashes < end && at[backslashes] == '\\') {
        backslashes++;
    }
    if (at + backslashes < end && (at[backslashes] == '"' || at[backslashes] == '\'')) {
        at += backslashes;
        return string_end(at + 1, end, (struct quote){backslashes, *at});
    }
    return *at == '{' || *at == '[' ? bracket_end(at, end) : word_end(at, end);
}

static bool is_nothing(struct slice value)
{
    return slice_is(value, "null") || slice_is(value, "None") || value.len == 0;
}

static void append_mark(struct buf *out, struct quote quote)
{
    char marks[KEY_MAX + 1];
    memset(marks, '\\', quote.backslashes);
    marks[quote.backslashes] = quote.mark;
    buf_append(out, marks, quote.backslashes + 1);
    buf_append_text(out, REDACT_MARK);
    buf_append(out, marks, quote.backslashes + 1);
}

struct slice redact_loose(struct slice text, redact_is_secret is_secret, const void *closure,
                          struct arena *arena)
{
    struct buf out = BUF_EMPTY;
    struct quote quote;
    struct slice key;
    char plain[KEY_MAX];
    const char *end = text.data + text.len;
    const char *copied = text.data;
    const char *colon = text.data;
    while (colon < end && (colon = memchr(colon, ':', (size_t)(end - colon))) != NULL) {
        const char *value = colon + 1;
        if (find_key(copied, colon, &key, &quote) && is_secret(closure, plain_key(key, plain))) {
            while (value < end && is_blank(*value)) {
                value++;
            }
            const char *after = value < end ? value_end(value, end) : end;
            if (!is_nothing((struct slice){value, (size_t)(after - value)})) {
                buf_append(&out, copied, (size_t)(value - copied));
                append_mark(&out, quote);
                copied = after;
            }
            value = after;
        }
        colon = value;
    }
    if (out.len > 0) {
        buf_append(&out, copied, (size_t)(end - copied));
        text = arena_copy(arena, buf_slice(&out));
    }
    buf_finish(&out);
    return text;
}
