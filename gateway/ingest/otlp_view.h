/*
 * otlp_view: a span as the rules of the mapping see it: its attributes by name, its resource and
 * scope. The rules are spread over otlp_kind, otlp_model, otlp_payload, otlp_metadata and otlp_trace;
 * each reads the view and marks the attributes that it used up. Not thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"
#include "gateway/ingest/otlp_any.h"
#include "gateway/ingest/otlp_names.h"
#include "gateway/ingest/otlp_span.h"
#include "proto/row.h"

struct costs; /* gateway/ingest/usage.h */
struct usage;

enum otlp_scope_kind {
    SCOPE_OTHER,
    SCOPE_LANGFUSE, /* langfuse-sdk: all its langfuse.* attributes are understood */
    SCOPE_AI,       /* Vercel AI SDK */
    SCOPE_GENKIT,
    SCOPE_FLUE,
    SCOPE_LIVEKIT,
    SCOPE_PYDANTIC_AI,
};

struct otlp_view {
    /* of the resource and of the scope, as long as they last */
    struct otlp_named resource;
    struct attributes resource_attributes;
    struct slice resource_json; /* {"name":value,...}; empty: no attributes */
    struct slice scope_json;    /* {"name","version","attributes"}; empty: nothing said */
    enum otlp_scope_kind scope_kind;
    struct slice scope_version;

    /* of the span */
    struct otlp_span *span;
    struct otlp_named named;
    bool root; /* its fields are the trace's */
    struct arena *arena;
    struct buf text; /* for making texts; whoever uses it resets it first */
};

void otlp_view_resource(struct otlp_view *view, const struct otlp_resource *resource,
                        struct arena *arena);
void otlp_view_scope(struct otlp_view *view, const struct otlp_scope *scope, struct arena *arena);
void otlp_view_span(struct otlp_view *view, struct otlp_span *span, struct arena *arena);

/* The attribute of that name; NULL when absent, null or empty. */
struct attribute *view_find(const struct otlp_view *view, enum otlp_name name);

/* The first that view_find finds of a list that ends with NAME_END. */
struct attribute *view_first(const struct otlp_view *view, const uint8_t *names);

/* Its text; empty when there is none. */
struct slice view_text(const struct otlp_view *view, const uint8_t *names);

/* The same of one name, and of the resource. */
struct slice view_text_of(const struct otlp_view *view, enum otlp_name name);
struct slice view_resource_text(const struct otlp_view *view, enum otlp_name name);

/* The text itself, where it is a JSON string and that maybe one again. */
struct slice view_unquoted(const struct otlp_view *view, struct slice text);

/* True: the attribute is there and its text is one of words, which end with NULL. */
bool view_is_one_of(const struct otlp_view *view, enum otlp_name name, const char *const *words);

bool view_has_group(const struct otlp_view *view, enum otlp_group group);

/* The attribute's value as JSON (any_print_parsed), in the span's arena; marks it used. */
struct slice view_json(struct otlp_view *view, struct attribute *attribute);

/* What view->text holds, as a slice in the span's arena. */
struct slice view_take(struct otlp_view *view);

/* Sets a short text column, cut to its bound between characters; nothing when text is empty. */
void view_set_text(struct row *row, uint32_t column, struct slice text);

/* ---- the rules, each for a part of the observation's row ---- */

/* otlp_kind: type, name, level, status message. */
void otlp_kind_to_row(struct otlp_view *view, struct row *row);

/* otlp_usage: what is said of tokens and costs, added to empty maps. */
void otlp_usage_find(struct otlp_view *view, struct usage *usage);
void otlp_costs_find(struct otlp_view *view, struct costs *costs);
/* The span says again what spans inside it used, in part at least: to price it would be to count twice. */
bool otlp_costs_are_inside(const struct otlp_view *view);

/* otlp_model: model, parameters, usage, cost, prompt, time of the first token. Type is set. */
void otlp_model_to_row(struct otlp_view *view, int64_t start_us, struct row *row);
bool otlp_has_model(const struct otlp_view *view);

/* otlp_payload: input and output; empty slices when there are none. */
struct otlp_payload {
    struct slice input;
    struct slice output;
};
struct otlp_payload otlp_payload_find(struct otlp_view *view);

/* otlp_logfire: what the attribute "events" says of them; false: nothing. */
bool otlp_logfire_find(struct otlp_view *view, struct otlp_payload *out);

/* What an event alone says of them, as rules 5 to 7 have it. Of view, text, arena and the scope are
 * needed. */
enum otlp_payload_part {
    PAYLOAD_NONE,    /* nothing */
    PAYLOAD_MESSAGE, /* one message of the input, or a choice of the output */
    PAYLOAD_WHOLE,   /* either side as it is */
};
enum otlp_payload_part otlp_payload_of_event(struct otlp_view *view, struct otlp_event *event,
                                             struct otlp_payload *out);

/* otlp_metadata: the observation's, and the trace's. Empty when there is none. */
struct slice otlp_metadata_of_observation(struct otlp_view *view);
struct slice otlp_metadata_of_trace(struct otlp_view *view);

/* otlp_trace: the span says something about its trace. */
bool otlp_is_trace_update(const struct otlp_view *view);

/* The fields that any such span may set, and names, input and output that are meant for the trace. */
void otlp_trace_to_row(struct otlp_view *view, struct row *row);

/* Normalised; empty when nothing is said. */
struct slice otlp_environment(const struct otlp_view *view);
struct slice otlp_version(const struct otlp_view *view);
