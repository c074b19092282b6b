/*
 * retry: how long to wait before the next attempt. Pure.
 */
#pragma once

#include <stdint.h>

struct xtrace_retry {
    uint32_t base_ms;
    uint32_t max_ms;
};

/* After the failed attempt (1 is the first): between half and all of base_ms * 2^(failed-1), at most
 * max_ms, as random (all its bits) has it; never less than retry_after_ms. */
uint64_t xtrace_retry_wait_ms(struct xtrace_retry retry, uint32_t failed, uint64_t retry_after_ms,
                              uint32_t random);
