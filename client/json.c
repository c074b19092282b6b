/* json: one recursive validator that moves a cursor, and what is built of it. */
#include "client/json.h"

#include <stdint.h>
#include <stdlib.h>

#include "client/text.h"

struct cursor {
    const char *at;
    const char *end;
    int depth; /* levels that may still be opened */
};

static bool pass_value(struct cursor *c);

static void pass_blanks(struct cursor *c)
{
    while (c->at < c->end &&
           (*c->at == ' ' || *c->at == '\n' || *c->at == '\t' || *c->at == '\r')) {
        c->at++;
    }
}

static bool pass_char(struct cursor *c, char wanted)
{
    if (c->at == c->end || *c->at != wanted) {
        return false;
    }
    c->at++;
    return true;
}

static bool pass_word(struct cursor *c, const char *word)
{
    size_t len = strlen(word);
    if ((size_t)(c->end - c->at) < len || memcmp(c->at, word, len) != 0) {
        return false;
    }
    c->at += len;
    return true;
}

static int hex_value(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* The four digits after \u; -1 when they are none. */
static int hex4(const char *at, const char *end)
{
    if (end - at < 4) {
        return -1;
    }
    int value = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_value(at[i]);
        if (digit < 0) {
            return -1;
        }
        value = value * 16 + digit;
    }
    return value;
}

static bool pass_escape(struct cursor *c)
{
    if (c->at == c->end || *c->at == '\0' || strchr("\"\\/bfnrtu", *c->at) == NULL) {
        return false;
    }
    if (*c->at++ != 'u') {
        return true;
    }
    if (hex4(c->at, c->end) < 0) {
        return false;
    }
    c->at += 4;
    return true;
}

static bool pass_string(struct cursor *c)
{
    if (!pass_char(c, '"')) {
        return false;
    }
    while (c->at < c->end && *c->at != '"') {
        if (*c->at == '\\') {
            c->at++;
            if (!pass_escape(c)) {
                return false;
            }
            continue;
        }
        size_t len = xtrace_utf8_len(c->at, (size_t)(c->end - c->at));
        if (len == 0 || (unsigned char)*c->at < 0x20) {
            return false;
        }
        c->at += len;
    }
    return pass_char(c, '"');
}

static bool pass_digits(struct cursor *c)
{
    const char *begin = c->at;
    while (c->at < c->end && *c->at >= '0' && *c->at <= '9') {
        c->at++;
    }
    return c->at > begin;
}

static bool pass_number(struct cursor *c)
{
    pass_char(c, '-');
    if (!pass_char(c, '0') && !pass_digits(c)) {
        return false;
    }
    if (pass_char(c, '.') && !pass_digits(c)) {
        return false;
    }
    if (pass_char(c, 'e') || pass_char(c, 'E')) {
        if (!pass_char(c, '+')) {
            pass_char(c, '-');
        }
        return pass_digits(c);
    }
    return true;
}

/* The member or element at the cursor; key is set in an object. */
static bool pass_member(struct cursor *c, char open, struct xtrace_slice *key,
                        struct xtrace_slice *value)
{
    *key = (struct xtrace_slice){NULL, 0};
    pass_blanks(c);
    if (open == '{') {
        const char *begin = c->at;
        if (!pass_string(c)) {
            return false;
        }
        *key = (struct xtrace_slice){begin + 1, (size_t)(c->at - begin) - 2};
        pass_blanks(c);
        if (!pass_char(c, ':')) {
            return false;
        }
        pass_blanks(c);
    }
    const char *begin = c->at;
    if (!pass_value(c)) {
        return false;
    }
    *value = (struct xtrace_slice){begin, (size_t)(c->at - begin)};
    pass_blanks(c);
    return true;
}

static bool pass_container(struct cursor *c, char open)
{
    char close = open == '{' ? '}' : ']';
    if (c->depth == 0 || !pass_char(c, open)) {
        return false;
    }
    c->depth--;
    pass_blanks(c);
    bool done = pass_char(c, close);
    while (!done) {
        struct xtrace_slice key, value;
        if (!pass_member(c, open, &key, &value)) {
            return false;
        }
        done = pass_char(c, close);
        if (!done && !pass_char(c, ',')) {
            return false;
        }
    }
    c->depth++;
    return true;
}

/* As deep as c->depth allows and no deeper: each level is one small frame. */
static bool pass_value(struct cursor *c)
{
    if (c->at == c->end) {
        return false;
    }
    switch (*c->at) {
    case '{':
    case '[':
        return pass_container(c, *c->at);
    case '"':
        return pass_string(c);
    case 't':
        return pass_word(c, "true");
    case 'f':
        return pass_word(c, "false");
    case 'n':
        return pass_word(c, "null");
    default:
        return pass_number(c);
    }
}

static struct xtrace_slice parse(const char *text, size_t len, int max_depth)
{
    struct cursor c = {text, text + len, max_depth};
    pass_blanks(&c);
    const char *begin = c.at;
    if (!pass_value(&c)) {
        return (struct xtrace_slice){NULL, 0};
    }
    struct xtrace_slice value = {begin, (size_t)(c.at - begin)};
    pass_blanks(&c);
    return c.at == c.end ? value : (struct xtrace_slice){NULL, 0};
}

bool xtrace_json_is_valid(const char *text, size_t len, int max_depth)
{
    return parse(text, len, max_depth).data != NULL;
}

struct xtrace_slice xtrace_json_parse(const char *text, size_t len)
{
    return parse(text, len, XTRACE_JSON_DEPTH);
}

bool xtrace_json_enter(struct xtrace_json_walk *walk, struct xtrace_slice value, char open)
{
    if (value.data == NULL || value.len == 0 || value.data[0] != open) {
        return false;
    }
    *walk = (struct xtrace_json_walk){value.data + 1, value.data + value.len, open, true};
    return true;
}

bool xtrace_json_next(struct xtrace_json_walk *walk, struct xtrace_slice *key,
                      struct xtrace_slice *value)
{
    struct xtrace_slice unused;
    struct cursor c = {walk->_at, walk->_end, XTRACE_JSON_DEPTH};
    pass_blanks(&c);
    bool more = walk->_fresh || pass_char(&c, ',');
    walk->_fresh = false;
    /* An empty container has its closing bracket here, where no member can begin. */
    if (!more || !pass_member(&c, walk->_open, key != NULL ? key : &unused, value)) {
        return false;
    }
    walk->_at = c.at;
    return true;
}

struct xtrace_slice xtrace_json_find(struct xtrace_slice object, const char *name)
{
    struct xtrace_json_walk walk;
    struct xtrace_slice key, value;
    if (xtrace_json_enter(&walk, object, '{')) {
        while (xtrace_json_next(&walk, &key, &value)) {
            if (xtrace_slice_is(key, name)) {
                return value;
            }
        }
    }
    return (struct xtrace_slice){NULL, 0};
}

static void put_code_point(struct xtrace_text *out, uint32_t code)
{
    char utf8[4];
    size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = len - 1; i > 0; i--) {
        utf8[i] = (char)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    utf8[0] = (char)(lead[len] | code);
    xtrace_text_append(out, utf8, len);
}

/* at stands behind "\u"; returns the place behind the escape, or behind the pair of them. */
static const char *put_unicode_escape(struct xtrace_text *out, const char *at, const char *end)
{
    int high = hex4(at, end);
    at += 4;
    if (high >= 0xd800 && high < 0xdc00 && end - at >= 6 && at[0] == '\\' && at[1] == 'u') {
        int low = hex4(at + 2, end);
        if (low >= 0xdc00 && low < 0xe000) {
            put_code_point(out,
                           0x10000 + ((uint32_t)(high - 0xd800) << 10) + (uint32_t)(low - 0xdc00));
            return at + 6;
        }
    }
    bool unusable = high <= 0 || (high >= 0xd800 && high < 0xe000);
    put_code_point(out, unusable ? 0xfffd : (uint32_t)high);
    return at;
}

char *xtrace_json_string(struct xtrace_slice value)
{
    if (value.data == NULL) {
        return NULL;
    }
    struct cursor c = {value.data, value.data + value.len, 0};
    if (!pass_string(&c) || c.at != c.end) {
        return NULL;
    }
    struct xtrace_text out = XTRACE_TEXT_EMPTY;
    xtrace_text_reserve(&out, value.len);
    const char *end = value.data + value.len - 1;
    for (const char *at = value.data + 1; at < end;) {
        if (*at != '\\') {
            xtrace_text_append(&out, at++, 1);
            continue;
        }
        static const char escapes[] = "bfnrt";
        static const char meanings[] = "\b\f\n\r\t";
        const char *escape = strchr(escapes, at[1]);
        at += 2;
        if (at[-1] == 'u') {
            at = put_unicode_escape(&out, at, end);
        } else {
            xtrace_text_append(&out, escape != NULL ? &meanings[escape - escapes] : at - 1, 1);
        }
    }
    return xtrace_text_take(&out);
}
