/*
 * otlp_span: a span as both readers (otlp_json_fields, otlp_protobuf_fields) leave it and otlp_view takes
 * it, and what all signals have in common, after opentelemetry-proto's trace.proto and common.proto
 * 1.x. Pure data.
 *
 * All texts are valid UTF-8 without U+0000 and lie in memory that may be written to: the body, or
 * the arena of the span (of its resource, of its scope).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/slice.h"

enum {
    OTLP_DEPTH_MAX = 32,      /* arrays and maps within each other in an attribute */
    OTLP_VALUES_MAX = 100000, /* attributes and their elements, of one span or resource */
    OTLP_CONTROLS_MAX =
        1000000,             /* control characters in texts, but for the common ones; likewise */
    OTLP_TRACE_ID_SIZE = 32, /* hex digits */
    OTLP_SPAN_ID_SIZE = 16,
    OTLP_STATUS_ERROR = 2,
};

enum any_type { ANY_NULL, ANY_STRING, ANY_BOOL, ANY_INT, ANY_DOUBLE, ANY_ARRAY, ANY_MAP };

struct attribute;

/* An AnyValue. bytesValue is a string, in base64. */
struct any {
    enum any_type type;
    uint32_t count; /* of elements or members */
    union {
        struct slice text;
        bool boolean;
        int64_t integer;
        double real;
        const struct any *elements;
        struct attribute *members;
    };
};

struct attribute {
    struct slice key;
    struct any value;
    uint8_t name;  /* enum otlp_name, filled by otlp_names_index */
    uint8_t group; /* enum otlp_group, likewise */
    bool used;     /* went into a column or a metadata key of its own */
    bool kept;     /* not all of it did: it stays an attribute, too */
};

/* An array that a reader fills (otlp_list_add); all have the same shape. */
#define OTLP_LIST(type)                                                                            \
    struct {                                                                                       \
        type *list;                                                                                \
        uint32_t count;                                                                            \
        uint32_t capacity;                                                                         \
    }

struct attributes {
    struct attribute *list;
    uint32_t count;
    uint32_t capacity; /* as OTLP_LIST has it */
};

/* What is wrong with a span, its resource or its scope; reason NULL: nothing. */
struct otlp_fault {
    const char *field;  /* static: "traceId" */
    const char *reason; /* static; for people, without payload */
};

struct otlp_event {
    uint64_t time_ns; /* 0: unset */
    struct slice name;
    struct attributes attributes;
    uint32_t dropped_attributes;
    bool used; /* its attributes are input or output */
};

struct otlp_link {
    char trace_id[OTLP_TRACE_ID_SIZE + 1];
    char span_id[OTLP_SPAN_ID_SIZE + 1];
    struct slice trace_state;
    struct attributes attributes;
    uint32_t dropped_attributes;
    uint32_t flags;
};

struct otlp_resource {
    struct attributes attributes;
    struct otlp_fault fault; /* of its spans, then */
};

struct otlp_scope {
    struct slice name;
    struct slice version;
    struct attributes attributes;
    struct otlp_fault fault;
};

enum otlp_kind {
    OTLP_KIND_UNSPECIFIED,
    OTLP_KIND_INTERNAL,
    OTLP_KIND_SERVER,
    OTLP_KIND_CLIENT,
    OTLP_KIND_PRODUCER,
    OTLP_KIND_CONSUMER,
    OTLP_KIND_COUNT,
};

struct otlp_status {
    uint32_t code;
    struct slice message;
};

struct otlp_span {
    char trace_id[OTLP_TRACE_ID_SIZE + 1]; /* lower-case hex digits; "" when absent */
    char span_id[OTLP_SPAN_ID_SIZE + 1];
    char parent_id[OTLP_SPAN_ID_SIZE + 1]; /* "": a root */
    struct slice trace_state;
    uint32_t flags; /* of W3C trace context, and OTLP's two above them */
    uint32_t kind;  /* enum otlp_kind */
    struct slice name;
    uint64_t start_ns; /* since 1970; 0: unset */
    uint64_t end_ns;
    struct otlp_status status;
    struct attributes attributes;
    OTLP_LIST(struct otlp_event) events;
    OTLP_LIST(struct otlp_link) links;
    uint32_t dropped_attributes; /* by the SDK */
    uint32_t dropped_events;
    uint32_t dropped_links;
    struct otlp_fault fault; /* the first one */
};

/* Keeps the first fault. */
static inline void otlp_fault_set(struct otlp_fault *fault, const char *field, const char *reason)
{
    if (fault->reason == NULL) {
        *fault = (struct otlp_fault){field, reason};
    }
}
