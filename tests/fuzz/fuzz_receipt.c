/* Receipts and hellos: what unpacks packs again into the same thing. */
#include "proto/receipt.h"
#include "tests/fuzz/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = ARENA_EMPTY;
    struct buf packed = BUF_EMPTY, again = BUF_EMPTY;
    struct receipt receipt;
    struct slice frame = {(const char *)data, size};
    if (receipt_unpack(frame, &arena, &receipt, NULL) == ERR_OK) {
        receipt_pack(&packed, &receipt);
        CHECK(receipt_unpack(buf_slice(&packed), &arena, &receipt, NULL) == ERR_OK);
        receipt_pack(&again, &receipt);
        CHECK(slice_equals(buf_slice(&packed), buf_slice(&again)));
        CHECK(packed.len <= size);
    }
    buf_finish(&packed);
    buf_finish(&again);
    arena_finish(&arena);
    return 0;
}
