#include "common/id.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

/* Random bytes are fetched for many ids at once. None is ever given twice: what was handed out is
 * behind used, and no program here goes on in a forked child. */
struct pool {
    uint8_t bytes[64 * ID_SIZE];
    size_t used;
};

static _Thread_local struct pool pool = {.used = sizeof(pool.bytes)};

static void pool_fill(void)
{
    size_t have = 0;
    while (have < sizeof(pool.bytes)) {
        ssize_t got = getrandom(pool.bytes + have, sizeof(pool.bytes) - have, 0);
        if (got < 0 && errno != EINTR) {
            perror("getrandom");
            abort();
        }
        have += got > 0 ? (size_t)got : 0;
    }
    pool.used = 0;
}

void id_random(uint8_t out[ID_SIZE])
{
    if (pool.used == sizeof(pool.bytes)) {
        pool_fill();
    }
    memcpy(out, pool.bytes + pool.used, ID_SIZE);
    pool.used += ID_SIZE;
}

static const char hex_digits[] = "0123456789abcdef";

void id_hex(const uint8_t id[ID_SIZE], char out[HEX_TEXT_SIZE + 1])
{
    for (int i = 0; i < ID_SIZE; i++) {
        out[2 * i] = hex_digits[id[i] >> 4];
        out[2 * i + 1] = hex_digits[id[i] & 15];
    }
    out[HEX_TEXT_SIZE] = '\0';
}

/* Where the hyphens stand, as 8-4-4-4-12. */
static bool is_hyphen_place(size_t i)
{
    return i == 8 || i == 13 || i == 18 || i == 23;
}

static void hyphenate(const char hex[HEX_TEXT_SIZE], char out[UUID_TEXT_SIZE + 1])
{
    for (size_t i = 0; i < UUID_TEXT_SIZE; i++) {
        out[i] = is_hyphen_place(i) ? '-' : *hex++;
    }
    out[UUID_TEXT_SIZE] = '\0';
}

/* The digit in lower case, or 0. */
static char lower_hex(char c)
{
    if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')) {
        return c;
    }
    return c >= 'A' && c <= 'F' ? (char)(c - 'A' + 'a') : '\0';
}

bool uuid_normalise(struct slice text, char out[UUID_TEXT_SIZE + 1])
{
    static const char urn[] = "urn:uuid:";
    enum { URN_SIZE = sizeof(urn) - 1 };
    if (text.len == URN_SIZE + UUID_TEXT_SIZE && strncasecmp(text.data, urn, URN_SIZE) == 0) {
        text = (struct slice){text.data + URN_SIZE, UUID_TEXT_SIZE};
    } else if (text.len == UUID_TEXT_SIZE + 2 && text.data[0] == '{' &&
               text.data[text.len - 1] == '}') {
        text = (struct slice){text.data + 1, UUID_TEXT_SIZE};
    }
    bool hyphens = text.len == UUID_TEXT_SIZE;
    if (!hyphens && text.len != HEX_TEXT_SIZE) {
        return false;
    }
    char hex[HEX_TEXT_SIZE];
    size_t digits = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (hyphens && is_hyphen_place(i)) {
            if (text.data[i] != '-') {
                return false;
            }
            continue;
        }
        hex[digits] = lower_hex(text.data[i]);
        if (hex[digits++] == '\0') {
            return false;
        }
    }
    hyphenate(hex, out);
    return true;
}

void uuid_random(char out[UUID_TEXT_SIZE + 1])
{
    uint8_t id[ID_SIZE];
    char hex[HEX_TEXT_SIZE + 1];
    id_random(id);
    id[6] = (uint8_t)((id[6] & 0x0f) | 0x40); /* version 4 */
    id[8] = (uint8_t)((id[8] & 0x3f) | 0x80); /* variant 1 */
    id_hex(id, hex);
    hyphenate(hex, out);
}
