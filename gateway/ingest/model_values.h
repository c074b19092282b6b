/*
 * model_values: single values of the body of POST /models, and how a wrong one is named. What decode_model and
 * model_conditions share. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/json_read.h"
#include "common/slice.h"

/* Where in the body. */
struct model_where {
    int64_t tier;      /* -1: not in one */
    int64_t condition; /* -1: not in one */
};

/* ERR_INVALID: "pricingTiers[1].conditions[0].value: missing"; member may be empty. */
enum err model_wrong(struct error *error, const struct model_where *where, const char *member,
                     const char *reason);

/* A text of 1 to max bytes. null is as good as absent: *out is empty. */
MUST_CHECK enum err model_read_text(struct json_reader *reader, const struct model_where *where,
                                    const char *member, size_t max, struct slice *out,
                                    struct error *error);

/* The same for the text of a number that common/money.h takes. */
MUST_CHECK enum err model_read_price(struct json_reader *reader, const struct model_where *where,
                                     const char *member, struct slice *out, struct error *error);

/* Whether the regex has a back reference. */
bool model_refers_back(struct slice pattern);

/* words end with NULL. */
bool model_is_one_of(struct slice text, const char *const *words);
