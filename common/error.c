#include "common/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum err error_set(struct error *error, enum err err, const char *format, ...)
{
    if (error != NULL) {
        va_list args;
        va_start(args, format);
        vsnprintf(error->text, sizeof(error->text), format, args);
        va_end(args);
    }
    return err;
}

void error_context(struct error *error, const char *format, ...)
{
    if (error == NULL) {
        return;
    }
    char before[sizeof(error->text)];
    memcpy(before, error->text, sizeof(before));
    va_list args;
    va_start(args, format);
    int length = vsnprintf(error->text, sizeof(error->text), format, args);
    va_end(args);
    if (length >= 0 && (size_t)length < sizeof(error->text)) {
        size_t left = sizeof(error->text) - (size_t)length;
        snprintf(error->text + length, left, ": %.*s", (int)left, before);
    }
}

const char *err_name(enum err err)
{
    static const char *const names[ERR_COUNT] = {
        [ERR_OK] = "ok",
        [ERR_INVALID] = "invalid",
        [ERR_UNAUTHORIZED] = "unauthorized",
        [ERR_FORBIDDEN] = "forbidden",
        [ERR_NOT_FOUND] = "not_found",
        [ERR_METHOD] = "method",
        [ERR_TOO_LARGE] = "too_large",
        [ERR_UNSUPPORTED] = "unsupported",
        [ERR_TOO_HEAVY] = "too_heavy",
        [ERR_BUSY] = "busy",
        [ERR_UNAVAILABLE] = "unavailable",
        [ERR_CONFLICT] = "conflict",
        [ERR_REFUSED] = "refused",
        [ERR_TIMEOUT] = "timeout",
        [ERR_INTERNAL] = "internal",
    };
    return err < ERR_COUNT ? names[err] : "unknown";
}
