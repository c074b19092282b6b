#include "gateway/head.h"

#include <h2o.h>

/* h2o's own parser (picohttpparser), whose header Debian does not ship: asked the same question it
 * gives the same answer. */
struct phr_header {
    const char *name;
    size_t name_len;
    const char *value;
    size_t value_len;
};

int phr_parse_request(const char *buf, size_t len, const char **method, size_t *method_len,
                      const char **path, size_t *path_len, int *minor_version,
                      struct phr_header *headers, size_t *num_headers, size_t last_len);

enum { PHR_BROKEN = -1, PHR_PARTIAL = -2, BLANK_MAX = 4 };

/* Some clients end a body with a line's end too many. */
static bool is_blank(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] != '\r' && text.data[i] != '\n') {
            return false;
        }
    }
    return text.len <= BLANK_MAX;
}

enum err head_check(struct slice text, size_t known, struct error *error)
{
    struct phr_header headers[H2O_MAX_HEADERS];
    size_t header_count = H2O_MAX_HEADERS;
    struct slice method;
    struct slice path;
    int minor_version;
    size_t len = text.len < H2O_MAX_REQLEN ? text.len : H2O_MAX_REQLEN;
    int result = phr_parse_request(text.data, len, &method.data, &method.len, &path.data, &path.len,
                                   &minor_version, headers, &header_count, known);
    if (result == PHR_BROKEN && !is_blank(text)) {
        return error_set(
            error, ERR_INVALID,
            "malformed request: broken request line or header, or more than %d headers",
            H2O_MAX_HEADERS);
    }
    if (result == PHR_PARTIAL && len == H2O_MAX_REQLEN) {
        return error_set(error, ERR_INVALID, "request head is larger than %d bytes",
                         H2O_MAX_REQLEN);
    }
    return ERR_OK;
}
