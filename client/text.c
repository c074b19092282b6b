/* text: growing bytes and the three ways of writing into them: URL, JSON, time. */
#include "client/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FIRST_CAPACITY = 256 };

void xtrace_text_finish(struct xtrace_text *text)
{
    free(text->data);
    *text = XTRACE_TEXT_EMPTY;
}

bool xtrace_text_reserve(struct xtrace_text *text, size_t more)
{
    if (text->failed || more >= SIZE_MAX / 4 - text->len) {
        text->failed = true;
        return false;
    }
    size_t need = text->len + more + 1;
    if (need <= text->capacity) {
        return true;
    }
    size_t twice = text->capacity > 0 ? text->capacity * 2 : FIRST_CAPACITY;
    size_t capacity = twice > need ? twice : need;
    char *data = realloc(text->data, capacity);
    if (data == NULL) {
        text->failed = true;
        return false;
    }
    text->data = data;
    text->capacity = capacity;
    text->data[text->len] = '\0';
    return true;
}

void xtrace_text_append(struct xtrace_text *text, const void *data, size_t len)
{
    if (!xtrace_text_reserve(text, len)) {
        return;
    }
    if (len > 0) {
        memcpy(text->data + text->len, data, len);
    }
    text->len += len;
    text->data[text->len] = '\0';
}

void xtrace_text_puts(struct xtrace_text *text, const char *word)
{
    xtrace_text_append(text, word, strlen(word));
}

void xtrace_text_printf(struct xtrace_text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    if (len < 0) {
        text->failed = true;
    } else if (xtrace_text_reserve(text, (size_t)len)) {
        vsnprintf(text->data + text->len, (size_t)len + 1, format, again);
        text->len += (size_t)len;
    }
    va_end(again);
    va_end(args);
}

char *xtrace_text_take(struct xtrace_text *text)
{
    char *data = text->failed ? NULL : text->data;
    if (data != NULL) {
        text->data = NULL;
    }
    xtrace_text_finish(text);
    return data;
}

void xtrace_text_put_url(struct xtrace_text *text, const char *word)
{
    static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                     "0123456789-._~";
    for (const char *at = word; *at != '\0'; at++) {
        if (strchr(unreserved, *at) != NULL) {
            xtrace_text_append(text, at, 1);
        } else {
            xtrace_text_printf(text, "%%%02X", (unsigned char)*at);
        }
    }
}

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

size_t xtrace_utf8_len(const char *data, size_t len)
{
    const unsigned char *s = (const unsigned char *)data;
    size_t need = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    if (need == 0 || s[0] > 0xf4 || need > len) {
        return 0;
    }
    for (size_t i = 1; i < need; i++) {
        if (!is_continuation(data[i])) {
            return 0;
        }
    }
    bool overlong = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xf0 && s[1] < 0x90);
    bool surrogate = s[0] == 0xed && s[1] >= 0xa0;
    bool too_high = s[0] == 0xf4 && s[1] >= 0x90;
    return overlong || surrogate || too_high ? 0 : need;
}

static void put_escape(struct xtrace_text *text, unsigned char c)
{
    switch (c) {
    case '"':
        xtrace_text_puts(text, "\\\"");
        break;
    case '\\':
        xtrace_text_puts(text, "\\\\");
        break;
    case '\n':
        xtrace_text_puts(text, "\\n");
        break;
    case '\t':
        xtrace_text_puts(text, "\\t");
        break;
    case '\r':
        xtrace_text_puts(text, "\\r");
        break;
    default:
        xtrace_text_printf(text, "\\u%04x", c);
    }
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

void xtrace_text_put_json(struct xtrace_text *text, const char *word, size_t len)
{
    xtrace_text_reserve(text, len + 2);
    xtrace_text_puts(text, "\"");
    for (size_t i = 0; i < len;) {
        size_t run = i;
        while (run < len && is_plain((unsigned char)word[run])) {
            run++;
        }
        xtrace_text_append(text, word + i, run - i);
        i = run;
        if (i == len) {
            break;
        }
        size_t character = xtrace_utf8_len(word + i, len - i);
        if (character == 1) {
            put_escape(text, (unsigned char)word[i]);
        } else if (character > 1) {
            xtrace_text_append(text, word + i, character);
        } else {
            xtrace_text_puts(text, "\xef\xbf\xbd");
        }
        i += character == 0 ? 1 : character;
    }
    xtrace_text_puts(text, "\"");
}

bool xtrace_text_put_time(struct xtrace_text *text, int64_t time_us)
{
    /* 0001-01-01 and 10000-01-01 */
    if (time_us < INT64_C(-62135596800) * 1000000 || time_us >= INT64_C(253402300800) * 1000000) {
        return false;
    }
    int64_t fraction = time_us % 1000000;
    time_t second = (time_t)(time_us / 1000000);
    if (fraction < 0) {
        fraction += 1000000;
        second--;
    }
    struct tm tm;
    if (gmtime_r(&second, &tm) == NULL) {
        return false;
    }
    xtrace_text_printf(text, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", tm.tm_year + 1900,
                       tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)fraction);
    return true;
}
