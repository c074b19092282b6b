/* system: clock, random bytes, sized structs. */
#include "client/system.h"

#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "client/xtrace.h"

enum { STRUCT_SIZE_MAX = 4096 /* beyond it the size is surely garbage */ };

int64_t xtrace_monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t xtrace_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* getrandom never gives less than asked for up to 256 bytes, but a signal may come first. */
static void random_bytes(void *out, size_t len)
{
    while (getrandom(out, len, 0) != (ssize_t)len) {
    }
}

uint32_t xtrace_random_u32(void)
{
    uint32_t value;
    random_bytes(&value, sizeof(value));
    return value;
}

void xtrace_new_id(char id[XTRACE_ID_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[16];
    random_bytes(bytes, sizeof(bytes));
    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40);
    bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
    char *at = id;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            *at++ = '-';
        }
        *at++ = digits[bytes[i] >> 4];
        *at++ = digits[bytes[i] & 0x0f];
    }
    *at = '\0';
}

bool xtrace_take_struct(void *own, size_t own_size, size_t least, const void *theirs)
{
    size_t size;
    memcpy(&size, theirs, sizeof(size));
    if (size < least || size > STRUCT_SIZE_MAX) {
        return false;
    }
    memcpy(own, theirs, size < own_size ? size : own_size);
    memcpy(own, &own_size, sizeof(own_size));
    return true;
}
