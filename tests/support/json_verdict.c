/*
 * json_verdict: what the JSON reader says of each document on stdin (tests/support/framed.h). Three
 * pieces come back for each: the words of the refusal, empty when it was taken; the text as the
 * reader left it; and the words of a lenient reader's refusal, which looks at no bounds.
 */
#include <stdlib.h>

#include "common/json_read.h"
#include "tests/support/framed.h"

enum { DEPTH = 128 /* the gateway's default */ };

/* Writes the words. text is memory of exactly the document's size, so that ASan sees any read beyond
 * it. */
static void judge(char *text, size_t len, bool lenient)
{
    struct arena arena = ARENA_EMPTY;
    struct json_reader reader;
    struct error error = {""};
    json_reader_init(&reader, text, len, DEPTH, &arena);
    if (lenient) {
        json_be_lenient(&reader);
    }
    json_skip(&reader, NULL);
    enum err err = json_end(&reader, &error);
    framed_write(stdout, slice_from(err == ERR_OK ? "" : error.text));
    arena_finish(&arena);
}

static void answer(struct slice document)
{
    char *text = memory_alloc(document.len);
    if (document.len > 0) {
        memcpy(text, document.data, document.len);
    }
    judge(text, document.len, false);
    framed_write(stdout, (struct slice){text, document.len});
    judge(text, document.len, true);
    free(text);
}

int main(void)
{
    struct buf document = BUF_EMPTY;
    while (framed_read(stdin, &document)) {
        answer(buf_slice(&document));
    }
    buf_finish(&document);
    return 0;
}
