/*
 * The wire: one byte with the length of the header frame, that frame, and the rest is the body.
 * What unpacks packs again into something that unpacks to the same bytes.
 */
#include "proto/batch.h"
#include "tests/fuzz/check.h"

static void check_header(struct slice frame, struct batch_header *header)
{
    struct batch_header again;
    struct buf packed = BUF_EMPTY;
    if (batch_unpack_header(frame, header, NULL) != ERR_OK) {
        header->row_count = frame.len > 0 ? (uint8_t)frame.data[0] : 1;
        return;
    }
    batch_pack_header(&packed, header);
    CHECK(batch_unpack_header(buf_slice(&packed), &again, NULL) == ERR_OK);
    CHECK(again.row_count == header->row_count && again.received_us == header->received_us);
    CHECK(slice_equals(again.project, header->project) && slice_equals(again.key, header->key));
    CHECK(memcmp(again.id, header->id, ID_SIZE) == 0);
    buf_finish(&packed);
}

static void pack(struct buf *out, const struct row *rows, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        batch_pack_row(out, &rows[i]);
    }
}

static void check_body(struct slice body, uint32_t count)
{
    struct arena arena = ARENA_EMPTY;
    struct buf packed = BUF_EMPTY, again = BUF_EMPTY;
    struct row *rows;
    if (batch_unpack_rows(body, count, &arena, &rows, NULL) == ERR_OK) {
        pack(&packed, rows, count);
        CHECK(batch_unpack_rows(buf_slice(&packed), count, &arena, &rows, NULL) == ERR_OK);
        pack(&again, rows, count);
        CHECK(slice_equals(buf_slice(&packed), buf_slice(&again)));
        CHECK(packed.len <= body.len); /* ours is the shortest form */
    }
    buf_finish(&packed);
    buf_finish(&again);
    arena_finish(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct batch_header header;
    if (size == 0) {
        return 0;
    }
    size_t header_len = data[0] < size ? data[0] : size - 1;
    struct slice frame = {(const char *)data + 1, header_len};
    struct slice body = {frame.data + header_len, size - 1 - header_len};
    check_header(frame, &header);
    check_body(body, header.row_count);
    return 0;
}
