/*
 * text: bytes that grow, for a guest in someone's process: when memory is gone the text is marked as
 * failed and stays as it is, every further append does nothing, and the one who takes it looks once.
 * One owner, not thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct xtrace_text {
    char *data; /* owned; NULL while capacity is 0; NUL-terminated otherwise */
    size_t len;
    size_t capacity;
    bool failed;
};

#define XTRACE_TEXT_EMPTY ((struct xtrace_text){NULL, 0, 0, false})

void xtrace_text_finish(struct xtrace_text *text);

/* False when memory is gone, now or before. */
bool xtrace_text_reserve(struct xtrace_text *text, size_t more);

void xtrace_text_append(struct xtrace_text *text, const void *data, size_t len);
void xtrace_text_puts(struct xtrace_text *text, const char *word);
void xtrace_text_printf(struct xtrace_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The bytes become the caller's (free); NULL when the text has failed or is empty. */
char *xtrace_text_take(struct xtrace_text *text);

/* Percent-encodes all but the unreserved characters of RFC 3986. */
void xtrace_text_put_url(struct xtrace_text *text, const char *word);

/* A JSON string in quotes; what is no UTF-8 becomes U+FFFD. */
void xtrace_text_put_json(struct xtrace_text *text, const char *word, size_t len);

/* "2026-01-01T00:00:00.000000Z"; false for a year outside 1..9999 (nothing is written). */
bool xtrace_text_put_time(struct xtrace_text *text, int64_t time_us);

/* Length of the valid UTF-8 character at data, 1..4; 0 when there is none. len > 0. */
size_t xtrace_utf8_len(const char *data, size_t len);
