/*
 * hash: of texts that clients choose, hence with a random seed. Pure.
 */
#pragma once

#include <stdint.h>
#include <string.h>

#include "common/id.h"
#include "common/slice.h"

static inline uint64_t hash_seed(void)
{
    uint8_t random[ID_SIZE];
    uint64_t seed;
    id_random(random);
    memcpy(&seed, random, sizeof(seed));
    return seed;
}

static inline uint64_t hash_mix(uint64_t hash, uint64_t word)
{
    __uint128_t product = (__uint128_t)(hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* hash: the seed, or what was made of the texts before this one. */
static inline uint64_t hash_slice(uint64_t hash, struct slice slice)
{
    uint64_t word;
    hash = hash_mix(hash, slice.len + UINT64_C(0x2545f4914f6cdd1d));
    while (slice.len >= sizeof(word)) {
        memcpy(&word, slice.data, sizeof(word));
        hash = hash_mix(hash, word);
        slice.data += sizeof(word);
        slice.len -= sizeof(word);
    }
    word = 0;
    if (slice.len > 0) {
        memcpy(&word, slice.data, slice.len);
    }
    return hash_mix(hash, word);
}
