/*
 * sdk: which SDK asks, as far as answers depend on it. Langfuse's for Python has models that take nothing they
 * do not know: one value of a new kind, and the whole page is an error to its caller. So what the older ones
 * cannot read is left out for them, and only for them. Thread-safe.
 */
#pragma once

#include "common/slice.h"
#include "gateway/read/read.h"

enum sdk {
    SDK_OTHER,              /* reads everything */
    SDK_PYTHON_2,           /* no null as latency or cost of a trace; scores as the next */
    SDK_PYTHON_BEFORE_TEXT, /* no scores of type TEXT and CORRECTION */
    SDK_PYTHON_BEFORE_5,    /* no scores of type CORRECTION within a trace */
};

/* Of the headers x-langfuse-sdk-name and x-langfuse-sdk-version. Pure. */
enum sdk sdk_find(struct slice name, struct slice version);
enum sdk sdk_of(const struct request *request);

/* Binds text[]: the types of scores that the client can read in a list, or within a trace; null: all. */
void sdk_bind_listed_types(struct read *read);
void sdk_bind_nested_types(struct read *read);
