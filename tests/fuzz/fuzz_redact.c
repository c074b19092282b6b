/* JSON that has been validated, as a payload that is redacted: a byte of flags, and the text. What comes out
 * is JSON again, without the secret; a text without anything to redact comes back itself. Then any bytes as a text. */
#include <string.h>

#include "common/json_read.h"
#include "common/redact.h"
#include "tests/fuzz/check.h"

static const char secret[] = "hunter2";

static bool is_json(struct slice text, struct arena *arena)
{
    struct json_reader reader;
    struct error error;
    json_reader_init(&reader, (char *)text.data, text.len, JSON_DEPTH_MAX, arena);
    json_skip(&reader, NULL);
    return json_end(&reader, &error) == ERR_OK;
}

static bool holds(struct slice text, const char *word)
{
    return memmem(text.data, text.len, word, strlen(word)) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = ARENA_EMPTY;
    struct redact *redact;
    struct error error;
    struct redact_options options = {
        .built_in = size > 0 && (data[0] & 1) != 0, .keys = "key,Api_Key", .patterns = secret};
    if (size == 0) {
        return 0;
    }
    CHECK(redact_create(&redact, &options, &error) == ERR_OK);
    struct redact_work *work = redact_begin(redact);
    /* A block of its own size: a step beyond it is seen. The reader may write to it. */
    struct slice text = {malloc(size), size - 1};
    memcpy((char *)text.data, data + 1, text.len);
    if (is_json(text, &arena)) {
        unsigned flags = REDACT_NAMES | ((data[0] & 2) != 0 ? (unsigned)REDACT_CONTENT : 0u);
        size_t max_len = (data[0] & 4) != 0 ? 16 : SIZE_MAX;
        struct slice out = redact_json(work, text, flags, max_len, &arena);
        CHECK(is_json(out, &arena));
        CHECK(!holds(out, secret));
        CHECK(out.data == text.data || holds(out, REDACT_MARK));
    }
    /* Whatever it is, as a text. */
    struct slice clean = redact_text(work, text, SIZE_MAX, &arena);
    CHECK(!holds(clean, secret));
    CHECK(clean.data == text.data || holds(clean, REDACT_MARK));
    free((char *)text.data);
    redact_end(work);
    redact_destroy(redact);
    arena_finish(&arena);
    return 0;
}
