/* A compressed body: one byte that chooses coding and limit, and the rest. It ends, and the content
 * stays within the limit. */
#include "gateway/ingest/inflate.h"
#include "tests/fuzz/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf out = BUF_EMPTY;
    struct error error = {""};
    if (size == 0) {
        return 0;
    }
    enum coding coding = (data[0] & 1) != 0 ? CODING_GZIP : CODING_DEFLATE;
    size_t max = (size_t)(data[0] >> 1) * 1024;
    struct slice body = {(const char *)data + 1, size - 1};
    enum err err = inflate_body(coding, body, max, &out, &error);
    if (err == ERR_OK) {
        CHECK(out.len <= max);
    } else {
        CHECK((err == ERR_INVALID || err == ERR_TOO_LARGE) && error.text[0] != '\0');
    }
    buf_finish(&out);
    return 0;
}
