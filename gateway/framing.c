#include "gateway/framing.h"

#include <string.h>
#include <strings.h>

enum { LENGTH_DIGITS_MAX = 18 };

struct seen {
    int lengths;
    int codings;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_name(struct slice line, const char *name, struct slice *value)
{
    size_t length = strlen(name);
    if (line.len <= length || strncasecmp(line.data, name, length) != 0) {
        return false;
    }
    const char *at = line.data + length;
    const char *end = line.data + line.len;
    while (at < end && is_blank(*at)) {
        at++;
    }
    if (at == end || *at != ':') {
        return false;
    }
    at++;
    while (at < end && is_blank(*at)) {
        at++;
    }
    while (end > at && is_blank(end[-1])) {
        end--;
    }
    *value = (struct slice){at, (size_t)(end - at)};
    return true;
}

static bool is_length(struct slice value)
{
    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] < '0' || value.data[i] > '9') {
            return false;
        }
    }
    return value.len > 0 && value.len <= LENGTH_DIGITS_MAX;
}

static enum err check_line(struct slice line, struct seen *seen, struct error *error)
{
    struct slice value;
    if (is_blank(line.data[0])) {
        return error_set(error, ERR_INVALID, "folded header line");
    }
    if (is_name(line, "content-length", &value)) {
        seen->lengths++;
        if (!is_length(value)) {
            return error_set(error, ERR_INVALID, "Content-Length is not a number");
        }
    }
    if (is_name(line, "transfer-encoding", &value)) {
        seen->codings++;
        if (value.len != strlen("chunked") || strncasecmp(value.data, "chunked", value.len) != 0) {
            return error_set(error, ERR_INVALID, "Transfer-Encoding is not chunked");
        }
    }
    return ERR_OK;
}

/* The next line without its end; false at the blank line or the end of text. */
static bool next_line(const char **at, const char *end, struct slice *line)
{
    const char *newline = *at < end ? memchr(*at, '\n', (size_t)(end - *at)) : NULL;
    if (newline == NULL) {
        return false;
    }
    size_t len = (size_t)(newline - *at);
    if (len > 0 && newline[-1] == '\r') {
        len--;
    }
    *line = (struct slice){*at, len};
    *at = newline + 1;
    return len > 0;
}

/* Empty lines before the request line are let pass by h2o. */
static const char *skip_empty_lines(struct slice head)
{
    const char *at = head.data;
    while (at < head.data + head.len && (*at == '\r' || *at == '\n')) {
        at++;
    }
    return at;
}

size_t framing_head_len(struct slice text, size_t known)
{
    const char *at = skip_empty_lines(text);
    const char *end = text.data + text.len;
    if (known > 3 && text.data + known - 3 > at) {
        at = text.data + known - 3;
    }
    while (at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        at++;
        const char *next = at < end && *at == '\r' ? at + 1 : at;
        if (next < end && *next == '\n') {
            return (size_t)(next + 1 - text.data);
        }
    }
    return 0;
}

bool framing_is_coded(struct slice head)
{
    const char *at = skip_empty_lines(head);
    const char *end = head.data + head.len;
    struct slice line;
    struct slice value;
    while (next_line(&at, end, &line)) {
        if (is_name(line, "transfer-encoding", &value)) {
            return true;
        }
    }
    return false;
}

enum err framing_check(struct slice head, bool http_1_0, struct error *error)
{
    const char *at = skip_empty_lines(head);
    const char *end = head.data + head.len;
    struct slice line;
    if (!next_line(&at, end, &line)) {
        return ERR_OK;
    }
    struct seen seen = {0, 0};
    while (next_line(&at, end, &line)) {
        enum err err = check_line(line, &seen, error);
        if (err != ERR_OK) {
            return err;
        }
    }
    if (seen.lengths + seen.codings > 1) {
        return error_set(error, ERR_INVALID,
                         "more than one Content-Length or Transfer-Encoding header");
    }
    if (http_1_0 && seen.codings > 0) {
        return error_set(error, ERR_INVALID, "Transfer-Encoding in HTTP/1.0");
    }
    return ERR_OK;
}
