/* Decimals: the binary form of whatever is storable is one that PostgreSQL's numeric_recv takes. */
#include "common/decimal.h"
#include "tests/fuzz/check.h"

static unsigned be16_at(const struct buf *buf, size_t index)
{
    const unsigned char *at = (const unsigned char *)buf->data + 2 * index;
    return (unsigned)at[0] << 8 | at[1];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice number = {(const char *)data, size};
    struct buf buf = BUF_EMPTY;
    if (decimal_is_storable(number)) {
        decimal_append_binary(&buf, number);
        unsigned digits = be16_at(&buf, 0);
        unsigned sign = be16_at(&buf, 2);
        CHECK(buf.len == 8 + 2 * (size_t)digits);
        CHECK(digits <= (DECIMAL_INTEGER_DIGITS_MAX + DECIMAL_FRACTION_DIGITS_MAX) / 4 + 2);
        CHECK(sign == 0 || sign == 0x4000);
        CHECK(be16_at(&buf, 3) <= DECIMAL_FRACTION_DIGITS_MAX);
        for (unsigned i = 0; i < digits; i++) {
            CHECK(be16_at(&buf, 4 + i) < 10000);
        }
        CHECK(digits == 0 || (be16_at(&buf, 4) != 0 && be16_at(&buf, 3 + digits) != 0));
    }
    buf_finish(&buf);
    return 0;
}
