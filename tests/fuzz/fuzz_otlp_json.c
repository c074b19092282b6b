/* An OTLP export of spans in JSON. */
#include "tests/fuzz/otlp_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_decoder(decode_otlp_json, data, size);
    return 0;
}
