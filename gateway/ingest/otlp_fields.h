/*
 * otlp_fields: what the messages of OTLP consist of, a table each, after opentelemetry-proto 1.x. Both
 * readers go by them (otlp_json_fields, otlp_protobuf_fields), so that both fill the same structs
 * with the same values. Pure data.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "gateway/ingest/otlp_log.h"
#include "gateway/ingest/otlp_metric.h"
#include "gateway/ingest/otlp_span.h"

/* What a field is read into. */
enum otlp_form {
    OTLP_TEXT,         /* struct slice */
    OTLP_RAW,          /* struct slice: the value as it was sent */
    OTLP_TRACE_ID,     /* hex digits, ended by NUL */
    OTLP_SPAN_ID,      /* likewise */
    OTLP_TIME,         /* uint64_t: nanoseconds since 1970 */
    OTLP_COUNT,        /* uint32_t that only informs */
    OTLP_FLAGS,        /* the same; in protobuf of fixed length */
    OTLP_WORD,         /* uint32_t: which word of an enumeration; what is none of them is 0 */
    OTLP_BOOL,         /* bool that only informs */
    OTLP_ATTRIBUTES,   /* struct attributes */
    OTLP_ANY,          /* struct any */
    OTLP_UNSIGNED,     /* uint64_t */
    OTLP_SIGNED,       /* int32_t */
    OTLP_DOUBLE,       /* double */
    OTLP_MAYBE_DOUBLE, /* struct otlp_number */
    OTLP_MAYBE_INT,    /* the same; in protobuf an integer */
    OTLP_FIXED_COUNTS, /* OTLP_LIST(uint64_t) */
    OTLP_COUNTS,       /* the same; in protobuf varints */
    OTLP_DOUBLES,      /* OTLP_LIST(double) */
    OTLP_MESSAGE,      /* a struct of its own, or the same one */
    OTLP_MESSAGES,     /* OTLP_LIST of structs */
    OTLP_FORM_COUNT,
};

struct otlp_message;

struct otlp_field {
    struct slice name; /* in JSON, ended by NUL; NULL: there is no field of this number */
    enum otlp_form form;
    size_t offset;                      /* in the struct of the message */
    const struct otlp_message *message; /* OTLP_MESSAGE, OTLP_MESSAGES */
    const char *const *words;           /* OTLP_WORD: by their numbers; ends with NULL */
};

struct otlp_message {
    const struct otlp_field *fields; /* by their numbers in protobuf */
    uint32_t count;
    uint32_t size; /* of the struct */
};

extern const struct otlp_message otlp_resource_message; /* struct otlp_resource */
extern const struct otlp_message otlp_scope_message;    /* struct otlp_scope */
extern const struct otlp_message otlp_span_message;     /* struct otlp_span */
extern const struct otlp_message otlp_log_message;      /* struct otlp_log */

/* A metric before its data are read: of each type those that were sent; data NULL: none. */
struct otlp_raw_metric {
    struct otlp_metric metric;
    struct slice data[OTLP_METRIC_TYPE_COUNT];
};

/* What the data of a metric say beside their points, and in JSON the points. */
struct otlp_raw_data {
    uint32_t temporality;
    bool monotonic;
    struct slice points;
};

extern const struct otlp_message otlp_metric_message; /* struct otlp_raw_metric */
extern const struct otlp_message otlp_data_message;   /* struct otlp_raw_data */

/* struct otlp_point, by the metric's type: the kinds number the same things differently. */
extern const struct otlp_message *const otlp_point_messages[OTLP_METRIC_TYPE_COUNT];
