/* Times: what parses lies within the bounds and, written out, parses to the same microsecond. */
#include "common/rfc3339.h"
#include "tests/fuzz/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t us, again;
    char text[RFC3339_SIZE];
    if (rfc3339_parse((struct slice){(const char *)data, size}, &us)) {
        CHECK(us >= RFC3339_MIN_US && us <= RFC3339_MAX_US);
        size_t len = rfc3339_format(us, text);
        CHECK(rfc3339_parse((struct slice){text, len}, &again) && again == us);
    }
    return 0;
}
