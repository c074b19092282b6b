/* An OTLP export of spans in protobuf. */
#include "tests/fuzz/otlp_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_decoder(decode_otlp_protobuf, data, size);
    return 0;
}
