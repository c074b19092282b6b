/*
 * fake_server: an HTTP/1.1 server of the test's own that answers by a script and keeps what it was
 * asked. Its calls are for the test's thread; it has threads of its own.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fake_fault {
    FAKE_NO_FAULT,
    FAKE_CLOSE,   /* reads the request and closes without a word */
    FAKE_CUT,     /* half of the body that its Content-Length promises, then closes */
    FAKE_GARBAGE, /* something that is no HTTP */
    FAKE_HOLD,    /* answers only after fake_server_release */
};

struct fake_reply {
    int status;
    const char *headers; /* lines with \r\n; may be NULL */
    const char *body;    /* may be NULL */
    enum fake_fault fault;
};

struct fake_request {
    char *head; /* request line and headers */
    char *body;
    size_t body_len;
    size_t connection; /* 0 is the first one accepted */
    int64_t at_ms;     /* CLOCK_MONOTONIC, when it was whole */
};

struct fake_server;

/* The replies in turn, the last one again and again. They are borrowed. is_deaf: connections are
 * refused until fake_server_listen. */
struct fake_server *fake_server_start(const struct fake_reply *replies, size_t count, bool is_deaf);
void fake_server_listen(struct fake_server *server);
const char *fake_server_url(const struct fake_server *server);

/* Waits until that many requests have come; fails the test after ten seconds. */
void fake_server_wait(struct fake_server *server, size_t count);
size_t fake_server_count(struct fake_server *server);
/* The index-th request, which must have come; lives as long as the server. */
struct fake_request fake_server_request(struct fake_server *server, size_t index);
/* What is held is answered, and nothing is held any more. */
void fake_server_release(struct fake_server *server);

void fake_server_stop(struct fake_server *server);

/* The value of a header, in a buffer that the next call overwrites; "" when it is not there. */
const char *fake_header(const struct fake_request *request, const char *name);
