#include "common/json_write.h"

#include <stdbool.h>

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c != '"' && c != '\\';
}

static void write_escape(struct buf *buf, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char short_forms[0x20] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    char escape[6] = {'\\', (char)c};
    size_t len = 2;
    if (c < 0x20 && short_forms[c] != '\0') {
        escape[1] = short_forms[c];
    } else if (c < 0x20) {
        memcpy(escape + 1, "u00", 3);
        escape[4] = hex[c >> 4];
        escape[5] = hex[c & 15];
        len = 6;
    }
    buf_append(buf, escape, len);
}

void json_write_string(struct buf *buf, struct slice text)
{
    buf_append_char(buf, '"');
    size_t done = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (!is_plain((unsigned char)text.data[i])) {
            buf_append(buf, text.data + done, i - done);
            write_escape(buf, (unsigned char)text.data[i]);
            done = i + 1;
        }
    }
    if (done < text.len) {
        buf_append(buf, text.data + done, text.len - done);
    }
    buf_append_char(buf, '"');
}
