/*
 * status: what a call came to, in words. Thread-safe.
 */
#pragma once

#include "client/xtrace.h"

/* Writes the words (cut to fit) and returns status. error may be NULL. */
enum xtrace_status xtrace_fail(struct xtrace_error *error, enum xtrace_status status,
                               const char *format, ...) __attribute__((format(printf, 3, 4)));
