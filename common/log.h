/*
 * log: one line an event on stderr, key=value (logfmt) or JSON. Never payloads, never secrets.
 * log_open once at start-up, before threads; log_event from any thread: a line is one write(2).
 *
 *     log_event(LOG_INFO, "listening", "address", addr, "threads", log_text("%d", n), NULL);
 *     -> time=2026-01-01T00:00:00.000000Z level=info program=xtrace-gateway event=listening
 * address=... threads=4
 */
#pragma once

#include <stdbool.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

/* As settings and lines spell them, in the enums' order; NULL ends them. */
extern const char *const log_level_words[];
extern const char *const log_format_words[];

/* program must stay valid. */
void log_open(const char *program, enum log_level level, enum log_format format);

/* True when a line of this level would be written: for what is dear to compute. */
bool log_is_enabled(enum log_level level);

/* A field is a key and a value that are both text; the list ends with NULL. event is a few words,
 * lower case. Values are quoted and escaped as the format needs, bytes that are not UTF-8 become
 * U+FFFD, what is longer than LOG_VALUE_MAX is cut, and a NULL value is written as "". */
enum { LOG_VALUE_MAX = 2000 };
void log_event(enum log_level level, const char *event, ...) __attribute__((sentinel));

/* Formats a value for log_event into one of a few buffers of this thread: good until the 16th next
 * call. log_event(LOG_INFO, "listening", "threads", log_text("%d", n), NULL) */
const char *log_text(const char *format, ...) __attribute__((format(printf, 1, 2)));
