/* A body of POST /v1/l/batch. */
#include "gateway/ingest/decode_batch.h"
#include "tests/fuzz/decode_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_decoder(decode_batch, 32, data, size, NULL);
    return 0;
}
