/*
 * crash: named points at which a test may stop the process as SIGKILL would. In builds with the
 * option crash_points, XTRACE_CRASH_AT=NAME does it at the first passage, NAME:N at the Nth;
 * elsewhere a point is nothing at all. Any thread.
 */
#pragma once

#ifdef XTRACE_CRASH_POINTS
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline void crash_point(const char *name)
{
    static atomic_int passed; /* of the one point that is named */
    const char *at = getenv("XTRACE_CRASH_AT");
    size_t len = strlen(name);
    if (at == NULL || strncmp(at, name, len) != 0 || (at[len] != '\0' && at[len] != ':')) {
        return;
    }
    if (atomic_fetch_add(&passed, 1) + 1 >= (at[len] == ':' ? atoi(at + len + 1) : 1)) {
        kill(getpid(), SIGKILL);
    }
}
#else
#define crash_point(name) ((void)0)
#endif
