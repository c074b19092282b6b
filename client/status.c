/* status: names of the codes, and the words of a failure. */
#include "client/status.h"

#include <stdarg.h>
#include <stdio.h>

enum xtrace_status xtrace_fail(struct xtrace_error *error, enum xtrace_status status,
                               const char *format, ...)
{
    if (error != NULL) {
        va_list args;
        va_start(args, format);
        vsnprintf(error->text, sizeof(error->text), format, args);
        va_end(args);
    }
    return status;
}

const char *xtrace_status_text(enum xtrace_status status)
{
    switch (status) {
    case XTRACE_OK:
        return "ok";
    case XTRACE_INVALID:
        return "invalid argument";
    case XTRACE_NO_MEMORY:
        return "no memory";
    case XTRACE_CLOSED:
        return "client closed";
    case XTRACE_QUEUE_FULL:
        return "queue full";
    case XTRACE_DROPPED:
        return "records lost";
    case XTRACE_TIMEOUT:
        return "timeout";
    case XTRACE_UNREACHABLE:
        return "server unreachable";
    case XTRACE_REFUSED:
        return "refused";
    case XTRACE_UNAUTHORIZED:
        return "unauthorized";
    case XTRACE_NOT_FOUND:
        return "not found";
    case XTRACE_BUSY:
        return "server busy";
    case XTRACE_UNAVAILABLE:
        return "server unavailable";
    case XTRACE_SERVER_ERROR:
        return "server error";
    case XTRACE_PROTOCOL:
        return "unexpected answer";
    }
    return "unknown status";
}

const char *xtrace_version(void)
{
    return XTRACE_VERSION;
}
