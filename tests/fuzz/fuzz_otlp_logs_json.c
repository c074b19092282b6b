/* An OTLP export of log records in JSON. */
#include "gateway/ingest/decode_otlp_logs.h"
#include "tests/fuzz/decode_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_decoder(decode_otlp_logs_json, 128, data, size, NULL);
    return 0;
}
