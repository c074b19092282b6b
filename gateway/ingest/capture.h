/*
 * capture: how much of what clients send is kept. Between validate and pack of the ingest line, for
 * every protocol (gateway/ingest/collect.c calls it on each row): what it takes out is in no packed
 * batch, so in no queue, no table, no dead letter and no log.
 *
 *   full           everything
 *   metadata_only  no input and no output; of metadata no members that instrumentations keep such in
 *   error_only     as metadata_only, but for records with level ERROR, and for a trace of which such an
 *                  observation came before it in the same request (/v1/l/batch: anywhere in it)
 *   masked         everything, without what looks like personal data or a credential
 *
 * In every mode the configured keys and patterns are redacted (common/redact.h): keys in input,
 * output, metadata, model parameters and labels of metrics; patterns in these and in every text but ids,
 * by which rows are found. Labels' own names stay.
 */
#pragma once

#include "common/capture_mode.h"
#include "common/error.h"
#include "common/redact.h"
#include "proto/row.h"

struct capture;      /* the rules of a project; never changed, any thread */
struct capture_work; /* one request's */

/* *out is NULL when everything is kept as it is. Errors as redact_create. */
MUST_CHECK enum err capture_create(struct capture **out, enum capture_mode mode, const char *keys,
                                   const char *patterns, struct error *error);
/* NULL is fine. */
void capture_destroy(struct capture *capture);

/* NULL when capture is NULL. */
struct capture_work *capture_begin(const struct capture *capture);
/* NULL is fine. */
void capture_end(struct capture_work *work);

/* out: the row as it may be kept. Its texts are row's own, or valid until the next call. */
void capture_row(struct capture_work *work, const struct row *row, struct row *out);
