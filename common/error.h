/*
 * error: the one enumeration of what can go wrong, and the text that goes with it.
 * Fallible calls return enum err; the words are written where they are known. Thread-safe.
 */
#pragma once

#define MUST_CHECK __attribute__((warn_unused_result))

enum err {
    ERR_OK = 0,
    /* What a client did; gateway/reply.c turns each into a status and a code. */
    ERR_INVALID,      /* 400: malformed or out of range */
    ERR_UNAUTHORIZED, /* 401 */
    ERR_FORBIDDEN,    /* 403 */
    ERR_NOT_FOUND,    /* 404 */
    ERR_METHOD,       /* 405 */
    ERR_TOO_LARGE,    /* 413: a body or a record beyond its bound */
    ERR_UNSUPPORTED,  /* 415: content type or content encoding */
    ERR_TOO_HEAVY,    /* 422: understood, and asks for too much */
    /* What the service cannot do just now; the client may try again. */
    ERR_BUSY,        /* 429: a budget is used up */
    ERR_UNAVAILABLE, /* 503: database or writer away, deadline passed, shutting down */
    /* What the database said of a statement (common/pg.h maps SQLSTATE to these). */
    ERR_CONFLICT, /* unique violation, deadlock, serialization failure: run the transaction again */
    ERR_REFUSED,  /* the data can never be stored as they are */
    ERR_TIMEOUT,  /* statement_timeout, lock_timeout or query cancelled */
    ERR_INTERNAL, /* 500: our fault */
    ERR_COUNT
};

/* The reason in words, for a person. Never holds payloads or secrets. */
struct error {
    char text[512];
};

/* Writes the text (cut to fit) and returns err, so that `return error_set(...)` reads well.
 * error may be NULL. */
enum err error_set(struct error *error, enum err err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "<context>: " before the text that is there already; cut to fit. error may be NULL. */
void error_context(struct error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A stable lower-case word, for logs and metrics: "invalid", "busy". */
const char *err_name(enum err err);
