/*
 * crash: named points at which a test may stop the process as SIGKILL would. In builds with the
 * option crash_points, XTRACE_CRASH_AT=NAME does it; elsewhere a point is nothing at all.
 */
#pragma once

#ifdef XTRACE_CRASH_POINTS
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline void crash_point(const char *name)
{
    const char *at = getenv("XTRACE_CRASH_AT");
    if (at != NULL && strcmp(at, name) == 0) {
        kill(getpid(), SIGKILL);
    }
}
#else
#define crash_point(name) ((void)0)
#endif
