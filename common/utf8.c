#include "common/utf8.h"

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

size_t utf8_char(const char *at, const char *end)
{
    size_t left = (size_t)(end - at);
    unsigned char first = (unsigned char)at[0];
    if (left < 2 || first < 0xc2 || !is_continuation(at[1])) {
        return 0;
    }
    if (first < 0xe0) {
        return 2;
    }
    unsigned char second = (unsigned char)at[1];
    if (left < 3 || !is_continuation(at[2])) {
        return 0;
    }
    if (first < 0xf0) {
        bool overlong = first == 0xe0 && second < 0xa0;
        bool surrogate = first == 0xed && second >= 0xa0;
        return overlong || surrogate ? 0 : 3;
    }
    if (left < 4 || !is_continuation(at[3]) || first > 0xf4) {
        return 0;
    }
    bool overlong = first == 0xf0 && second < 0x90;
    bool beyond = first == 0xf4 && second >= 0x90;
    return overlong || beyond ? 0 : 4;
}

size_t utf8_valid_prefix(struct slice text)
{
    size_t at = 0;
    while (at < text.len) {
        size_t len = (unsigned char)text.data[at] < 0x80
                         ? 1
                         : utf8_char(text.data + at, text.data + text.len);
        if (len == 0) {
            return at;
        }
        at += len;
    }
    return at;
}

size_t utf8_count(struct slice text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++) {
        count += (text.data[i] & 0xC0) != 0x80;
    }
    return count;
}
