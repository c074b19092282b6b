/*
 * decimal_verdict: what common/decimal.h makes of each text on stdin (tests/support/framed.h). One
 * piece comes back for each: the binary form, empty when it is not storable.
 */
#include "common/decimal.h"
#include "tests/support/framed.h"

int main(void)
{
    struct buf number = BUF_EMPTY;
    struct buf binary = BUF_EMPTY;
    while (framed_read(stdin, &number)) {
        buf_reset(&binary);
        if (decimal_is_storable(buf_slice(&number))) {
            decimal_append_binary(&binary, buf_slice(&number));
        }
        framed_write(stdout, buf_slice(&binary));
    }
    buf_finish(&number);
    buf_finish(&binary);
    return 0;
}
