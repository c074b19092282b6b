/* retry: exponential backoff with jitter. */
#include "client/retry.h"

uint64_t xtrace_retry_wait_ms(struct xtrace_retry retry, uint32_t failed, uint64_t retry_after_ms,
                              uint32_t random)
{
    uint64_t whole = retry.base_ms;
    for (uint32_t i = 1; i < failed && whole < retry.max_ms; i++) {
        whole *= 2;
    }
    whole = whole < retry.max_ms ? whole : retry.max_ms;
    /* Half of it spreads clients that failed together. */
    uint64_t half = whole / 2;
    uint64_t wait = whole - half + (half * random >> 32);
    return wait > retry_after_ms ? wait : retry_after_ms;
}
