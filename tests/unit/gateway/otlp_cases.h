/*
 * otlp_cases: exports of one span for tests of the mapping. Attributes are written as a plain JSON
 * object; the export that is made of it is decoded as OTLP/JSON and, encoded anew, as protobuf, and
 * both must give the same rows.
 */
#pragma once

#include "common/buf.h"
#include "decoded.h"
#include "gateway/ingest/otlp_signal.h"

#define OTLP_TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define OTLP_SPAN  "00f067aa0ba902b7"

/* 2026-01-01T00:00:00Z, and the span is a second long. */
#define OTLP_START_US INT64_C(1767225600000000)
#define OTLP_END_US   (OTLP_START_US + 1000000)

enum { OTLP_CASES_DEPTH_MAX = 128 };

enum otlp_place {
    IN_OBSERVATION,
    IN_TRACE,         /* as said */
    IN_TRACE_DERIVED, /* from a root, or bare */
};

struct otlp_case {
    const char *attributes; /* of the span; NULL: none */
    enum otlp_place place;
    uint32_t column;
    const char *expected; /* NULL: absent */
    const char *scope;    /* its name; NULL: none */
    const char *resource; /* attributes; NULL: none */
    const char *more;     /* further members of the span, as "\"name\":1,"; NULL: none */
};

/* Decodes the export and compares one column. */
void otlp_check(const struct otlp_case *c);
void otlp_check_all(const struct otlp_case *cases, size_t count);

#define OTLP_CHECK_ALL(cases) otlp_check_all(cases, sizeof(cases) / sizeof(cases[0]))

/* Decodes text as OTLP/JSON, or bytes as protobuf. decoded_close frees either. */
void otlp_open_json(struct decoded *decoded, const char *text, size_t len);
void otlp_open_protobuf(struct decoded *decoded, const char *bytes, size_t len);

/* The same of any decoder. */
void otlp_open_by(struct decoded *decoded, decoder decode, const char *body, size_t len);

bool otlp_same_rows(const struct decoded *a, const struct decoded *b);

/* otlp_encode.c: appends the export in protobuf that says the same as the one in JSON, which must be
 * good. */
void otlp_encode(const struct otlp_signal *signal, struct buf *out, const char *text, size_t len);

/* Appends the export in JSON of a case, ended by NUL. */
void otlp_print(struct buf *out, const struct otlp_case *c);

/* The first row of a place that has the column; NULL when there is none. */
const struct row *otlp_row(const struct decoded *decoded, enum otlp_place place, uint32_t column);
