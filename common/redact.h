/*
 * redact: takes secrets out of texts and of JSON: values of certain keys, and what certain patterns
 * match. What is taken out becomes "[REDACTED]"; everything else stays as it was, byte for byte.
 *
 *   keys      compared without regard to case (ASCII), with the whole key or with what follows its last
 *             dot ("http.header.authorization"). Their values go whole, whatever they are; null stays.
 *   patterns  PCRE2, UTF-8. Applied to strings, keys and the text of numbers; of strings and keys only
 *             what matches goes, of a number all of it.
 *   strings that hold JSON (arguments of tool calls) are looked into in the same way, REDACT_EMBEDDED_MAX
 *             times within each other; deeper than that JSON goes whole. In strings that are no JSON, cut
 *             off or with other text around it, keys are found by their quotation marks (redact_loose.h).
 *
 * Time is bounded: a match that needs more steps than its limit takes the whole string with it, and so
 * does everything that is left of a request when patterns have run for REDACT_BUDGET_MS.
 */
#pragma once

#include <stdbool.h>

#include "common/arena.h"
#include "common/error.h"
#include "common/slice.h"

#define REDACT_MARK "[REDACTED]"

enum { REDACT_BUDGET_MS = 2000, REDACT_EMBEDDED_MAX = 4 /* JSON in strings in JSON ... */ };

struct redact_options {
    bool built_in;        /* personal data and credentials as they usually look */
    const char *keys;     /* with commas between; NULL: none */
    const char *patterns; /* with blanks or line breaks between; NULL: none */
};

struct redact;      /* the rules; never changed, any thread */
struct redact_work; /* one request's */

/* ERR_INVALID: a pattern that does not compile, or that matches nothing at all; the error shows its
 * number, not the pattern. */
MUST_CHECK enum err redact_create(struct redact **out, const struct redact_options *options,
                                  struct error *error);
/* NULL is fine. */
void redact_destroy(struct redact *redact);

/* There are no keys and no patterns. */
bool redact_is_empty(const struct redact *redact);

struct redact_work *redact_begin(const struct redact *redact);
void redact_end(struct redact_work *work);

/* The text without what patterns match; the same slice when there is nothing, else in the arena. A
 * result longer than max_len becomes the mark alone. */
struct slice redact_text(struct redact_work *work, struct slice text, size_t max_len,
                         struct arena *arena);

enum redact_json_flags {
    REDACT_NAMES = 1, /* keys too are held against patterns */
    REDACT_CONTENT =
        2, /* members that hold what was asked and answered go as if their keys were secret */
};

/* The same for JSON text that has been validated. Strings of at most max_len bytes stay so. */
struct slice redact_json(struct redact_work *work, struct slice json, unsigned flags,
                         size_t max_len, struct arena *arena);
