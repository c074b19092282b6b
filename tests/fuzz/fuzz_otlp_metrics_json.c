/* An OTLP export of metrics in JSON. */
#include "gateway/ingest/decode_otlp_metrics.h"
#include "tests/fuzz/decode_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_decoder(decode_otlp_metrics_json, 128, data, size, NULL);
    return 0;
}
