/* Cursors: what is taken has a time within the bounds and ids that PostgreSQL takes. */
#include "common/rfc3339.h"
#include "common/utf8.h"
#include "gateway/read/cursor.h"
#include "tests/fuzz/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = ARENA_EMPTY;
    struct error error;
    const char *ids[2];
    int64_t us;
    const char *text = arena_text(&arena, (struct slice){(const char *)data, size});
    for (size_t count = 1; count <= 2; count++) {
        if (cursor_read(text, &arena, &us, ids, count, &error) != ERR_OK) {
            continue;
        }
        CHECK(us >= RFC3339_MIN_US && us <= RFC3339_MAX_US);
        for (size_t i = 0; i < count; i++) {
            CHECK(utf8_valid_prefix(slice_from(ids[i])) == slice_from(ids[i]).len);
        }
    }
    arena_finish(&arena);
    return 0;
}
