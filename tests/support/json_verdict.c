/*
 * json_verdict: what the JSON reader says of each document on stdin (tests/support/framed.h). Two
 * pieces come back for each: the words of the refusal, empty when it was taken; and the text as the
 * reader left it.
 */
#include <stdlib.h>

#include "common/json_read.h"
#include "tests/support/framed.h"

enum { DEPTH = 128 /* the gateway's default */ };

/* On memory of exactly the document's size, so that ASan sees any read beyond it. */
static void judge(struct slice document)
{
    struct arena arena = ARENA_EMPTY;
    struct json_reader reader;
    struct error error = {""};
    char *text = memory_alloc(document.len);
    if (document.len > 0) {
        memcpy(text, document.data, document.len);
    }
    json_reader_init(&reader, text, document.len, DEPTH, &arena);
    json_skip(&reader, NULL);
    enum err err = json_end(&reader, &error);
    framed_write(stdout, slice_from(err == ERR_OK ? "" : error.text));
    framed_write(stdout, (struct slice){text, document.len});
    free(text);
    arena_finish(&arena);
}

int main(void)
{
    struct buf document = BUF_EMPTY;
    while (framed_read(stdin, &document)) {
        judge(buf_slice(&document));
    }
    buf_finish(&document);
    return 0;
}
